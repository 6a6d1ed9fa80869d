import type { EchoResult, InsertResult } from './ceilings.ts'
import type { ColdStartResult } from './cold-start.ts'
import type { DmResult } from './dm.ts'
import type { FanoutResult } from './fanout.ts'
import type { IdleResult } from './idle.ts'
import type { LargeResult } from './large.ts'
import type { LatencyResult } from './latency.ts'
import type { MlsResult } from './mls.ts'
import type { NodesResult } from './node-queries.ts'
import type { CpuShares } from './proc-stats.ts'
import { median } from './quantile.ts'

/** The results of every repetition; empty lists for figures that were not requested. */
export interface Measured {
  readonly dm: DmResult[]
  readonly latency: LatencyResult[]
  readonly fanout: FanoutResult[]
  readonly idle: IdleResult[]
  readonly coldStart: ColdStartResult[]
  readonly large: LargeResult[]
  readonly mls: MlsResult[]
  readonly nodes: NodesResult[]
  readonly echo: EchoResult[]
  readonly insert: InsertResult[]
}

/** A line of the table: a figure of every repetition, this version's bar and the product's goal. */
export interface Row {
  readonly key: string
  readonly name: string
  readonly values: readonly number[]
  readonly digits: number
  readonly bar?: number
  readonly goal?: number
  readonly better?: 'more' | 'less'
  readonly note: string
}

export function rowsOf(m: Measured): Row[] {
  return [
    ...dmRows(m.dm),
    ...latencyRows(m.latency),
    ...fanoutRows(m.fanout),
    ...idleRows(m.idle),
    ...coldStartRows(m.coldStart),
    ...largeRows(m.large),
    ...mlsRows(m.mls),
    ...nodeRows(m.nodes),
    ...ceilingRows(m.echo, m.insert),
  ]
}

export const format = (value: number, digits: number): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
const percent = (share: number): string => `${Math.round(share * 100)} %`
const mid = <T>(list: readonly T[], of: (item: T) => number): number => median(list.map(of))

/** The note beside a figure; empty if the figure was not measured. */
function noteOf<T>(list: readonly T[], text: (list: readonly [T, ...T[]]) => string): string {
  const [first, ...rest] = list
  return first === undefined ? '' : text([first, ...rest])
}

/** How busy both sides were: a generator at its limit, or neighbours, would distort the figure. */
function cores(list: readonly CpuShares[]): string {
  return noteOf(list, (results) => {
    const server = percent(mid(results, (r) => r.serverShare))
    const generator = mid(results, (r) => r.generatorShare)
    const limit = generator > 0.9 ? ' (the limit)' : ''
    const queued = mid(results, (r) => r.queuedShare)
    const disturbed = queued > 0.05 ? ` (${percent(queued)} taken by neighbours)` : ''
    return `server ${server} of a core${disturbed}, generator ${percent(generator)}${limit}`
  })
}

function dmRows(list: readonly DmResult[]): Row[] {
  const note = noteOf(list, (results) => {
    const kernel = percent(mid(results, (r) => r.systemShare))
    const p50 = format(
      mid(results, (r) => r.p50),
      1,
    )
    const p99 = format(
      mid(results, (r) => r.p99),
      1,
    )
    return `kernel ${kernel}, closed loop p50 ${p50} p99 ${p99} ms`
  })
  return [
    {
      key: 'dm_per_s',
      name: 'durable DMs/s',
      values: list.map((r) => r.perSecond),
      digits: 0,
      bar: 8_000,
      goal: 20_000,
      better: 'more',
      note: cores(list),
    },
    {
      key: 'dm_cpu_us',
      name: 'server CPU a DM, µs',
      values: list.map((r) => r.cpuMicros),
      digits: 1,
      bar: 125,
      goal: 50,
      better: 'less',
      note,
    },
  ]
}

function latencyRows(list: readonly LatencyResult[]): Row[] {
  const late = noteOf(
    list,
    (results) =>
      `generator at most ${format(
        mid(results, (r) => r.latestSend),
        1,
      )} ms late`,
  )
  return [
    {
      key: 'dm_p50_ms',
      name: 'p50 at 500/s, ms',
      values: list.map((r) => r.p50),
      digits: 2,
      note: cores(list),
    },
    {
      key: 'dm_p99_ms',
      name: 'p99 at 500/s, ms',
      values: list.map((r) => r.p99),
      digits: 2,
      bar: 10,
      goal: 5,
      better: 'less',
      note: late,
    },
  ]
}

function fanoutRows(list: readonly FanoutResult[]): Row[] {
  return [
    {
      key: 'fanout_per_s',
      name: 'group deliveries/s',
      values: list.map((r) => r.deliveriesPerSecond),
      digits: 0,
      bar: 50_000,
      goal: 100_000,
      better: 'more',
      note: cores(list),
    },
  ]
}

function idleRows(list: readonly IdleResult[]): Row[] {
  const anonymous = noteOf(
    list,
    (results) => `${format(mid(results, (r) => r.rssAnonymous) / 1e6, 1)} MB of it anonymous`,
  )
  const logins = noteOf(list, (results) => {
    const perSecond = format(
      mid(results, (r) => r.loginsPerSecond),
      0,
    )
    return `${results[0].connections} connections, ${perSecond}/s`
  })
  return [
    {
      key: 'idle_rss_mb',
      name: 'idle memory, MB',
      values: list.map((r) => r.rss / 1e6),
      digits: 1,
      bar: 90,
      better: 'less',
      note: anonymous,
    },
    {
      key: 'conn_kb',
      name: 'memory a connection, kB',
      values: list.map((r) => r.perConnection / 1e3),
      digits: 1,
      bar: 12,
      better: 'less',
      note: logins,
    },
  ]
}

function coldStartRows(list: readonly ColdStartResult[]): Row[] {
  return [
    {
      key: 'cold_start_ms',
      name: 'cold start, ms',
      values: list.map((r) => r.milliseconds),
      digits: 0,
      bar: 300,
      better: 'less',
      note: noteOf(list, ([first]) => `median of ${first.runs.length}`),
    },
  ]
}

/** The cost of a store of a million messages compared with an empty one, and of the reads in it. */
function largeRows(list: readonly LargeResult[]): Row[] {
  const note = (text: (result: LargeResult) => string) => noteOf(list, ([first]) => text(first))
  return [
    {
      key: 'large_send_ratio',
      name: 'DMs/s, large store to empty',
      values: list.map(({ large, empty }) => large.dm.perSecond / empty.dm.perSecond),
      digits: 2,
      bar: 0.8,
      better: 'more',
      note: note(
        ({ messages, large }) =>
          `${format(messages, 0)} messages, made in ${format(large.growSeconds, 0)} s; ${cores([large.dm])}`,
      ),
    },
    {
      key: 'large_list_ratio',
      name: 'page of 50, time to that of empty',
      values: list.map(({ large, empty }) => large.reads.listMs / empty.reads.listMs),
      digits: 2,
      bar: 1.5,
      better: 'less',
      note: note(({ large }) => `${format(large.reads.listMs, 1)} ms`),
    },
    {
      key: 'inbox_ms',
      name: 'list of 1,000 rooms, ms',
      values: list.map(({ large }) => large.reads.inboxMs),
      digits: 1,
      bar: 50,
      better: 'less',
      note: note(({ large }) => `${format(large.reads.rooms, 0)} rooms`),
    },
    {
      key: 'search_ms',
      name: 'search over 100,000 messages, ms',
      values: list.map(({ large }) => large.reads.searchMs),
      digits: 0,
      note: note(
        ({ large }) =>
          `${large.reads.searchRequests} requests; another request meanwhile at most ${format(large.reads.besideSearchMs, 1)} ms`,
      ),
    },
    {
      key: 'sync_ms',
      name: 'sync of 10,000 events, ms',
      values: list.map(({ large }) => large.reads.syncMs),
      digits: 0,
      bar: 1000,
      better: 'less',
      note: note(({ large }) => `${format(large.reads.synced, 0)} events, a thousand a page`),
    },
  ]
}

function mlsRows(list: readonly MlsResult[]): Row[] {
  const caller = (results: readonly MlsResult[]) =>
    format(
      mid(results, (r) => r.addMs),
      1,
    )
  const handOut = (results: readonly MlsResult[]) =>
    format(
      mid(results, (r) => r.handOutServerMs),
      2,
    )
  return [
    {
      key: 'mls_add_ms',
      name: 'MLS: 199 members added, server ms',
      values: list.map((r) => r.addServerMs),
      digits: 1,
      bar: 20,
      better: 'less',
      note: noteOf(list, (results) => `its caller waits ${caller(results)} ms`),
    },
    {
      key: 'mls_hand_outs_per_s',
      name: 'MLS: key packages/s',
      values: list.map((r) => r.handOutsPerSecond),
      digits: 0,
      note: noteOf(list, (results) => `${handOut(results)} ms of the server for one`),
    },
    {
      key: 'mls_messages_per_s',
      name: 'MLS: messages/s into one group',
      values: list.map((r) => r.messagesPerSecond),
      digits: 0,
      note: cores(list),
    },
    {
      key: 'mls_catch_up_s',
      name: 'MLS: catch-up, s',
      values: list.map((r) => r.catchUpSeconds),
      digits: 2,
      note: noteOf(list, () => '10,000 messages, 2,000 with --quick'),
    },
  ]
}

/** The slowest kind of query and of search over a hundred thousand nodes. */
function nodeRows(list: readonly NodesResult[]): Row[] {
  const rowOf = (store: NodesResult['store'], kind: 'query' | 'search'): Row => {
    const results = list.filter((result) => result.store === store)
    const worst = results.map(({ large }) =>
      large.filter((query) => query.kind === kind).reduce((a, b) => (b.p99 > a.p99 ? b : a)),
    )
    return {
      key: `nodes_${kind}_p99_ms_${store}`,
      name: `100,000 nodes: ${kind}, p99, ms (${store === 'sqlite' ? 'SQLite' : 'PostgreSQL'})`,
      values: worst.map(({ p99 }) => p99),
      digits: 1,
      bar: 50,
      better: 'less',
      note: noteOf(worst, ([slowest]) => `of the slowest: ${slowest.name}`),
    }
  }
  return (['sqlite', 'postgres'] as const).flatMap((store) => [
    rowOf(store, 'query'),
    rowOf(store, 'search'),
  ])
}

/** The limits of the runtime and the disk, without any of our code. */
function ceilingRows(echo: readonly EchoResult[], insert: readonly InsertResult[]): Row[] {
  const slowest = (results: readonly InsertResult[]) =>
    format(
      mid(results, (r) => r.p99),
      2,
    )
  return [
    {
      key: 'ceiling_echo_per_s',
      name: 'ceiling: bare echo/s',
      values: echo.map((r) => r.perSecond),
      digits: 0,
      note: cores(echo),
    },
    {
      key: 'ceiling_insert_per_s',
      name: 'ceiling: synced inserts/s',
      values: insert.map((r) => r.perSecond),
      digits: 0,
      note: noteOf(insert, (results) => `p99 ${slowest(results)} ms`),
    },
  ]
}
