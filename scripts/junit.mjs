// Counts the tests in the JUnit reports of the two runners. A missing report counts as no tests: the
// runner's exit status then tells that it failed.
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

function read(report) {
  return existsSync(report) ? readFileSync(report, 'utf8') : ''
}
