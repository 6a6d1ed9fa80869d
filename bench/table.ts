import Table from 'cli-table3'
import { median } from './quantile.ts'
import { format, type Measured, type Row, rowsOf } from './rows.ts'

function verdict({ bar, better }: Row, value: number): string {
  if (bar === undefined) return ''
  const met = better === 'more' ? value >= bar : value <= bar
  return met ? 'met' : 'MISSED'
}

export function renderTable(measured: Measured): string {
  const right = 'right' as const
  const table = new Table({
    head: ['figure', 'measured', 'min..max', 'bar', '', 'goal', 'beside it'],
    colAligns: ['left', right, right, right, 'left', right, 'left'],
    style: { head: [], border: [], compact: true },
  })
  for (const row of rowsOf(measured).filter(({ values }) => values.length > 0)) {
    const show = (value: number | undefined, digits = 0) =>
      value === undefined ? '' : format(value, digits)
    const value = median(row.values)
    const [low, high] = [Math.min(...row.values), Math.max(...row.values)]
    const spread =
      row.values.length > 1 ? `${show(low, row.digits)}..${show(high, row.digits)}` : ''
    const bar = show(row.bar, Number.isInteger(row.bar) ? 0 : 1)
    const cells = [show(value, row.digits), spread, bar, verdict(row, value)]
    table.push([row.name, ...cells, show(row.goal), row.note])
  }
  return table.toString()
}

/** The object of `--json`: medians, null for figures that were not requested. */
export function figuresObject(measured: Measured): Record<string, number | null> {
  const entries = rowsOf(measured).map(({ key, values, digits }) => {
    const value = values.length > 0 ? Number(median(values).toFixed(digits)) : null
    return [key, value] as const
  })
  return Object.fromEntries(entries)
}
