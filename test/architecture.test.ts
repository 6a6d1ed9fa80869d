import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LONGEST = 400

/** Our TypeScript in some folders, by path relative to the checkout. */
function sources(...folders: string[]): Map<string, string> {
  const files = folders.flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true })
      .map((name) => `${folder}/${String(name).replaceAll('\\', '/')}`)
      .filter((path) => path.endsWith('.ts') && !path.includes('/node_modules/')),
  )
  assert.ok(files.length > 0, `nothing in ${folders}`)
  return new Map(files.map((path) => [path, readFileSync(ROOT + path, 'utf8')]))
}

/** `path:line: text` of every line of code that matches, outside the excepted paths. */
function findCode(files: Map<string, string>, pattern: RegExp, except: RegExp): string[] {
  return [...files]
    .filter(([path]) => !except.test(path))
    .flatMap(([path, text]) =>
      text.split('\n').flatMap((line, index) => {
        const isComment = /^\s*(\/\/|\/?\*)/.test(line)
        return !isComment && pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []
      }),
    )
}

test(`no file is longer than ${LONGEST} lines`, () => {
  const long = [...sources('src', 'cli', 'migrations')]
    .map(([path, text]) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > LONGEST)
  assert.deepEqual(long, [])
})

test('no file is named for having no subject', () => {
  const names = [...sources('src', 'cli', 'migrations', 'test', 'bench', 'scripts').keys()]
  const vague = names.filter((path) =>
    /(^|[-.])(utils?|common|helpers?|misc)[-.]/.test(basename(path)),
  )
  const folders = names.filter((path) => /\/(utils?|common|helpers?|misc)\//.test(path))
  assert.deepEqual([...vague, ...folders], [])
})

test('files are named in kebab-case', () => {
  const names = [...sources('src', 'cli', 'migrations', 'test', 'bench', 'scripts').keys()]
  const odd = names.filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/.test(basename(path)))
  assert.deepEqual(odd, [])
})

test('time, chance, the environment and the console are passed in, not reached for', () => {
  const src = sources('src')
  const room = /^src\/(platform|config)\//
  assert.deepEqual(findCode(src, /\bDate\.now\b/, room), [])
  assert.deepEqual(findCode(src, /\bnew Date\(\s*\)/, room), [])
  assert.deepEqual(findCode(src, /\bMath\.random\b/, room), [])
  assert.deepEqual(findCode(src, /\bperformance\.now\b/, room), [])
  assert.deepEqual(findCode(src, /\b(randomBytes|randomUUID|getRandomValues)\b/, room), [])
  assert.deepEqual(findCode(src, /\bconsole\./, room), [])
  assert.deepEqual(findCode(src, /\bprocess\.env\b/, room), [])
})

test('only src/db knows the names of the stores and their drivers', () => {
  const names = /(['"`])(sqlite|postgres)\1|from '(pg|better-sqlite3)/
  assert.deepEqual(findCode(sources('src', 'cli'), names, /^src\/db\//), [])
  assert.ok(findCode(sources('src'), names, /^$/).length > 5, 'the pattern finds nothing')
})
