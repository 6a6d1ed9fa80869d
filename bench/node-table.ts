import Table from 'cli-table3'
import type { NodesResult } from './node-queries.ts'

/** The cost of each kind of question, compared with that over a hundredth of the nodes. */
export function renderNodes({ store, growSeconds, small, large }: NodesResult): string {
  const ms = (value: number) => value.toFixed(1)
  const table = new Table({
    head: ['', 'p50, ms', 'p99, ms', 'of 1,000: p50', 'p99', 'ratio: p50', 'p99'],
    style: { head: [], border: [] },
  })
  for (const [index, { name, p50, p99 }] of large.entries()) {
    const few = small[index]
    if (!few) continue
    const ratios = [p50 / few.p50, p99 / few.p99]
    table.push([name, ms(p50), ms(p99), ms(few.p50), ms(few.p99), ...ratios.map(ms)])
  }
  const head = `100,000 nodes on ${store}, made in ${Math.round(growSeconds)} s`
  return `${head}\n${table.toString()}`
}
