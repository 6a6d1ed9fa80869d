import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from '@tsd/typescript'
import { pathOf } from './paths.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const VERBS = new Set(['get', 'post', 'put', 'patch', 'delete'])

/** A place in a test that calls the server or waits for an event. */
export interface Use {
  readonly kind: 'endpoint' | 'method' | 'event'
  /** `GET /api/friends/{}`, a hub method or an event. */
  readonly name: string
  /** Relative to the checkout. */
  readonly file: string
  readonly line: number
}

/** The tests that `npm test` always runs, as syntax trees, which leaves out comments and look-alikes. */
export function parseTests(): ts.SourceFile[] {
  return readdirSync(`${ROOT}test`, { recursive: true })
    .map((name) => `test/${String(name).replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith('.long.test.ts'))
    .sort()
    .map((file) => parse(file, readFileSync(ROOT + file, 'utf8')))
}

export function parse(file: string, text: string): ts.SourceFile {
  // With parent links, since names are resolved from where they are used.
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
}

/** All uses in a file, in source order. */
export function usesIn(file: ts.SourceFile): Use[] {
  const uses: Use[] = []
  const visit = (node: ts.Node) => {
    const found = ts.isCallExpression(node) ? useOf(node) : undefined
    if (found) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file))
      uses.push({ ...found, file: file.fileName, line: line + 1 })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return uses
}

/** All string literals in a file. */
export function textsIn(file: ts.SourceFile): Set<string> {
  const texts = new Set<string>()
  const visit = (node: ts.Node) => {
    if (ts.isStringLiteralLike(node)) texts.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return texts
}

function useOf(call: ts.CallExpression): Pick<Use, 'kind' | 'name'> | undefined {
  const { expression: callee, arguments: args } = call
  const [first, second] = args
  if (!first) return undefined
  const called = ts.isPropertyAccessExpression(callee)
    ? `.${callee.name.text}`
    : ts.isIdentifier(callee)
      ? callee.text
      : ''
  if (VERBS.has(called.slice(1)) && called.startsWith('.')) {
    return endpoint(called.slice(1).toUpperCase(), first)
  }
  switch (called) {
    case '.send':
      if (second && ts.isStringLiteral(first)) return endpoint(first.text, second)
      return undefined
    case '.open':
    case '.goto':
      return endpoint('GET', first)
    case 'fetch':
      return endpoint(methodOf(second), first)
    case '.invoke':
      return ts.isStringLiteral(first) ? { kind: 'method', name: first.text } : undefined
    // The client's own helpers take the method after the code, and records after their id.
    case '.assertRefused':
    case 'invocation':
      if (second && ts.isStringLiteral(second)) return { kind: 'method', name: second.text }
      return undefined
    case '.event':
    case '.all':
      return ts.isStringLiteral(first) ? { kind: 'event', name: first.text } : undefined
    default:
      return undefined
  }
}

function endpoint(method: string, path: ts.Expression): Pick<Use, 'kind' | 'name'> | undefined {
  const spelt = pathOf(path)
  return spelt === undefined ? undefined : { kind: 'endpoint', name: `${method} ${spelt}` }
}

/** The method in the options of `fetch`; GET if there is none. */
function methodOf(options: ts.Expression | undefined): string {
  if (!options || !ts.isObjectLiteralExpression(options)) return 'GET'
  for (const property of options.properties) {
    if (!ts.isPropertyAssignment(property) || property.name.getText() !== 'method') continue
    if (ts.isStringLiteral(property.initializer)) return property.initializer.text
  }
  return 'GET'
}
