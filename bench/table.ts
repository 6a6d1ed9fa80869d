import Table from 'cli-table3'
import type { EchoResult, InsertResult } from './ceilings.ts'
import type { ColdStartResult } from './cold-start.ts'
import type { DmResult } from './dm.ts'
import type { FanoutResult } from './fanout.ts'
import type { IdleResult } from './idle.ts'
import type { LargeResult } from './large.ts'
import type { LatencyResult } from './latency.ts'
import type { MlsResult } from './mls.ts'
import type { CpuShares } from './proc-stats.ts'
import { median } from './quantile.ts'
import type { WellResult } from './well.ts'

/** Every repetition's results; an empty list is a figure that was not asked for. */
export interface Measured {
  readonly dm: DmResult[]
  readonly latency: LatencyResult[]
  readonly fanout: FanoutResult[]
  readonly idle: IdleResult[]
  readonly coldStart: ColdStartResult[]
  readonly large: LargeResult[]
  readonly mls: MlsResult[]
  readonly well: WellResult[]
  readonly echo: EchoResult[]
  readonly insert: InsertResult[]
}

interface Row {
  readonly key: string
  readonly name: string
  readonly values: readonly number[]
  readonly digits: number
  readonly bar?: number
  readonly goal?: number
  readonly better?: 'more' | 'less'
  readonly note: string
}

const percent = (share: number): string => `${Math.round(share * 100)} %`
const number = (value: number, digits: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
const mid = <T>(list: readonly T[], of: (item: T) => number): number => median(list.map(of))

function cores(list: readonly CpuShares[]): string {
  if (list.length === 0) return ''
  const server = percent(mid(list, (r) => r.serverShare))
  const generator = mid(list, (r) => r.generatorShare)
  const limit = generator > 0.9 ? ' (the limit)' : ''
  const queued = mid(list, (r) => r.queuedShare)
  const disturbed = queued > 0.05 ? ` (${percent(queued)} taken by neighbours)` : ''
  return `server ${server} of a core${disturbed}, generator ${percent(generator)}${limit}`
}

/** The bars of this version and the goals of the product, next to what was measured. */
function rows(m: Measured): Row[] {
  const dmNote = m.dm.length
    ? `kernel ${percent(mid(m.dm, (r) => r.systemShare))}, closed loop p50 ${number(
        mid(m.dm, (r) => r.p50),
        1,
      )} p99 ${number(
        mid(m.dm, (r) => r.p99),
        1,
      )} ms`
    : ''
  const late = m.latency.length
    ? number(
        mid(m.latency, (r) => r.latestSend),
        1,
      )
    : ''
  const idle = m.idle.length
    ? `${number(mid(m.idle, (r) => r.rssAnonymous) / 1e6, 1)} MB of it anonymous`
    : ''
  const logins = m.idle.length
    ? `${m.idle[0]?.connections} connections, ${number(
        mid(m.idle, (r) => r.loginsPerSecond),
        0,
      )}/s`
    : ''
  const all = <T>(list: readonly T[], of: (item: T) => number) => list.map(of)
  const more = 'more' as const
  const less = 'less' as const
  return [
    {
      key: 'dm_per_s',
      name: 'durable DMs/s',
      values: all(m.dm, (r) => r.perSecond),
      digits: 0,
      bar: 8_000,
      goal: 20_000,
      better: more,
      note: cores(m.dm),
    },
    {
      key: 'dm_cpu_us',
      name: 'server CPU a DM, µs',
      values: all(m.dm, (r) => r.cpuMicros),
      digits: 1,
      bar: 125,
      goal: 50,
      better: less,
      note: dmNote,
    },
    {
      key: 'dm_p50_ms',
      name: 'p50 at 500/s, ms',
      values: all(m.latency, (r) => r.p50),
      digits: 2,
      note: cores(m.latency),
    },
    {
      key: 'dm_p99_ms',
      name: 'p99 at 500/s, ms',
      values: all(m.latency, (r) => r.p99),
      digits: 2,
      bar: 10,
      goal: 5,
      better: less,
      note: late && `generator at most ${late} ms late`,
    },
    {
      key: 'fanout_per_s',
      name: 'group deliveries/s',
      values: all(m.fanout, (r) => r.deliveriesPerSecond),
      digits: 0,
      bar: 50_000,
      goal: 100_000,
      better: more,
      note: cores(m.fanout),
    },
    {
      key: 'idle_rss_mb',
      name: 'idle memory, MB',
      values: all(m.idle, (r) => r.rss / 1e6),
      digits: 1,
      bar: 90,
      better: less,
      note: idle,
    },
    {
      key: 'conn_kb',
      name: 'memory a connection, kB',
      values: all(m.idle, (r) => r.perConnection / 1e3),
      digits: 1,
      bar: 12,
      better: less,
      note: logins,
    },
    {
      key: 'cold_start_ms',
      name: 'cold start, ms',
      values: all(m.coldStart, (r) => r.milliseconds),
      digits: 0,
      bar: 300,
      better: less,
      note: m.coldStart.length ? `median of ${m.coldStart[0]?.runs.length}` : '',
    },
    ...largeRows(m.large),
    {
      key: 'mls_add_ms',
      name: 'MLS: 199 members added, server ms',
      values: all(m.mls, (r) => r.addServerMs),
      digits: 1,
      bar: 20,
      better: less,
      note: m.mls.length
        ? `its caller waits ${number(
            mid(m.mls, (r) => r.addMs),
            1,
          )} ms`
        : '',
    },
    {
      key: 'mls_hand_outs_per_s',
      name: 'MLS: key packages/s',
      values: all(m.mls, (r) => r.handOutsPerSecond),
      digits: 0,
      note: m.mls.length
        ? `${number(
            mid(m.mls, (r) => r.handOutServerMs),
            2,
          )} ms of the server for one`
        : '',
    },
    {
      key: 'mls_messages_per_s',
      name: 'MLS: messages/s into one group',
      values: all(m.mls, (r) => r.messagesPerSecond),
      digits: 0,
      note: cores(m.mls),
    },
    {
      key: 'mls_catch_up_s',
      name: 'MLS: catch-up, s',
      values: all(m.mls, (r) => r.catchUpSeconds),
      digits: 2,
      note: m.mls.length ? '10,000 messages, 2,000 with --quick' : '',
    },
    ...wellRows(m.well),
    {
      key: 'ceiling_echo_per_s',
      name: 'ceiling: bare echo/s',
      values: all(m.echo, (r) => r.perSecond),
      digits: 0,
      note: cores(m.echo),
    },
    {
      key: 'ceiling_insert_per_s',
      name: 'ceiling: synced inserts/s',
      values: all(m.insert, (r) => r.perSecond),
      digits: 0,
      note: m.insert.length
        ? `p99 ${number(
            mid(m.insert, (r) => r.p99),
            2,
          )} ms`
        : '',
    },
  ]
}

/** The slowest kind of query and of search over a hundred thousand nodes. */
function wellRows(list: readonly WellResult[]): Row[] {
  const rowOf = (store: WellResult['store'], kind: 'query' | 'search'): Row => {
    const results = list.filter((result) => result.store === store)
    const worst = results.map(({ large }) =>
      large.filter((asked) => asked.kind === kind).reduce((a, b) => (b.p99 > a.p99 ? b : a)),
    )
    return {
      key: `nodes_${kind}_p99_ms_${store}`,
      name: `100,000 nodes: ${kind}, p99, ms (${store === 'sqlite' ? 'SQLite' : 'PostgreSQL'})`,
      values: worst.map(({ p99 }) => p99),
      digits: 1,
      bar: 50,
      better: 'less',
      note: worst[0] ? `of the slowest: ${worst[0].name}` : '',
    }
  }
  return (['sqlite', 'postgres'] as const).flatMap((store) => [
    rowOf(store, 'query'),
    rowOf(store, 'search'),
  ])
}

/** What a store of a million messages costs beside an empty one, and what people read of it. */
function largeRows(list: readonly LargeResult[]): Row[] {
  const first = list[0]
  const note = (text: (result: LargeResult) => string) => (first ? text(first) : '')
  const less = 'less' as const
  const more = 'more' as const
  return [
    {
      key: 'large_send_ratio',
      name: 'DMs/s, large store to empty',
      values: list.map(({ large, empty }) => large.dm.perSecond / empty.dm.perSecond),
      digits: 2,
      bar: 0.8,
      better: more,
      note: note(
        ({ messages, large }) =>
          `${number(messages, 0)} messages, made in ${number(large.growSeconds, 0)} s; ${cores([large.dm])}`,
      ),
    },
    {
      key: 'large_list_ratio',
      name: 'page of 50, time to that of empty',
      values: list.map(({ large, empty }) => large.reads.listMs / empty.reads.listMs),
      digits: 2,
      bar: 1.5,
      better: less,
      note: note(({ large }) => `${number(large.reads.listMs, 1)} ms`),
    },
    {
      key: 'inbox_ms',
      name: 'list of 1,000 rooms, ms',
      values: list.map(({ large }) => large.reads.inboxMs),
      digits: 1,
      bar: 50,
      better: less,
      note: note(({ large }) => `${number(large.reads.rooms, 0)} rooms`),
    },
    {
      key: 'search_ms',
      name: 'search over 100,000 messages, ms',
      values: list.map(({ large }) => large.reads.searchMs),
      digits: 0,
      note: note(
        ({ large }) =>
          `${large.reads.searchRequests} requests; another request meanwhile at most ${number(large.reads.besideSearchMs, 1)} ms`,
      ),
    },
    {
      key: 'sync_ms',
      name: 'sync of 10,000 events, ms',
      values: list.map(({ large }) => large.reads.syncMs),
      digits: 0,
      bar: 1000,
      better: less,
      note: note(({ large }) => `${number(large.reads.synced, 0)} events, a thousand a page`),
    },
  ]
}

function verdict({ bar, better }: Row, value: number): string {
  if (bar === undefined) return ''
  const met = better === 'more' ? value >= bar : value <= bar
  return met ? 'met' : 'MISSED'
}

/** One table for people. */
export function renderTable(measured: Measured): string {
  const right = 'right' as const
  const table = new Table({
    head: ['figure', 'measured', 'min..max', 'bar', '', 'goal', 'beside it'],
    colAligns: ['left', right, right, right, 'left', right, 'left'],
    style: { head: [], border: [], compact: true },
  })
  for (const row of rows(measured).filter(({ values }) => values.length > 0)) {
    const show = (value: number | undefined, digits = 0) =>
      value === undefined ? '' : number(value, digits)
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

/** The object of `--json`: medians, null for a figure that was not asked for. */
export function figuresObject(measured: Measured): Record<string, number | null> {
  const entries = rows(measured).map(({ key, values, digits }) => {
    const value = values.length > 0 ? Number(median(values).toFixed(digits)) : null
    return [key, value] as const
  })
  return Object.fromEntries(entries)
}
