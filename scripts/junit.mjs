// Reads the JUnit reports of the two runners. A missing report counts as no tests: the runner's exit
// status then tells that it failed.
import { existsSync, readFileSync } from 'node:fs'

/** Bun puts the totals into the attributes of the root element. */
export function countBun(report) {
  const root = /<testsuites\b[^>]*>/.exec(read(report))?.[0] ?? ''
  const number = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? 0)
  const failed = number('failures')
  const skipped = number('skipped')
  return { passed: Math.max(0, number('tests') - failed - skipped), failed, skipped }
}

/** Node puts the totals into comments at the end; suites do not count, and cancelled tests have failed. */
export function countNode(report) {
  const tail = read(report).slice(-2000)
  const number = (name) => Number(new RegExp(`<!-- ${name} (\\d+) -->`).exec(tail)?.[1] ?? 0)
  return {
    passed: number('pass'),
    failed: number('fail') + number('cancelled'),
    skipped: number('skipped') + number('todo'),
  }
}

/** The failed tests with their files, relative to `root`. Does not list what ran into no test, such as a crash. */
export function failedTests(report, root) {
  const failures = read(report).matchAll(/<testcase((?:\s+\w+="[^"]*")*)\s*>\s*<failure\b/g)
  return [...failures].map(([, attributes]) => ({
    name: unescaped(attributeOf(attributes, 'name')),
    file: unescaped(attributeOf(attributes, 'file')).replace(root, ''),
  }))
}

function attributeOf(attributes, name) {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? ''
}

const ENTITIES = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function unescaped(text) {
  return text.replaceAll(/&(\w+);/g, (entity, name) => ENTITIES[name] ?? entity)
}

function read(report) {
  return existsSync(report) ? readFileSync(report, 'utf8') : ''
}
