// `npm run contract`: every endpoint, hub method and event with the test that names it.
import { readTable } from './table.ts'

const { rows } = readTable()
const width = Math.max(...rows.map(({ name }) => name.length))
for (const { kind, part, name, uses } of rows) {
  const [first] = uses
  const more = new Set(uses.map(({ file }) => file)).size - 1
  const where = first ? `${first.file}:${first.line}` : 'NO TEST'
  const others = more > 0 ? ` and ${more} more` : ''
  console.log(`${kind.padEnd(8)}  ${part.padEnd(5)}  ${name.padEnd(width)}  ${where}${others}`)
}
const empty = rows.filter(({ uses }) => uses.length === 0)
console.log(`${rows.length} rows, ${empty.length} without a test`)
if (empty.length > 0) process.exitCode = 1
