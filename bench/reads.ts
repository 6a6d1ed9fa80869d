import { setTimeout } from 'node:timers/promises'
import { connectHub } from './hub-client.ts'
import { median } from './quantile.ts'

export interface ReadsJob {
  readonly kind: 'reads'
  readonly origin: string
  /** Token of the person who has the rooms. */
  readonly readerToken: string
  /** A conversation of the reader to list a page of. */
  readonly room: string
  /** A direct conversation whose receiver misses `missed` messages. */
  readonly conversationId: string
  readonly fromToken: string
  readonly toToken: string
  readonly missed: number
  readonly runs: number
}

export interface ReadsResult {
  /** Milliseconds, median of the runs. */
  readonly inboxMs: number
  readonly rooms: number
  readonly listMs: number
  /** The whole history, request after request, for a word that does not occur. */
  readonly searchMs: number
  readonly searchRequests: number
  /** The longest that another request took meanwhile. */
  readonly besideSearchMs: number
  readonly syncMs: number
  readonly synced: number
}

const SYNC_PAGE = 1000
/** Messages in flight while the device is away. */
const IN_FLIGHT = 256
const PROBE_EVERY_MS = 5
const ABSENT_WORD = 'unsaid'

/** Times the common reads: the inbox, a page of history, a search through all of it, a device catching up. */
export async function runReads(job: ReadsJob): Promise<ReadsResult> {
  const reader = (path: string) => get(`${job.origin}${path}`, job.readerToken)
  const inbox = await timed(job.runs, () => reader('/api/conversations'))
  const list = await timed(job.runs, () => reader(`/api/messages/${job.room}?limit=50`))
  const search = await searchAll(reader)
  const sync = await syncMissed(job)
  return {
    inboxMs: inbox.milliseconds,
    rooms: (inbox.last as unknown[]).length,
    listMs: list.milliseconds,
    ...search,
    ...sync,
  }
}

/** One run more than counted: the first meets cold caches. */
async function timed<T>(runs: number, read: () => Promise<T>) {
  let last = await read()
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now()
    last = await read()
    times.push(performance.now() - startedAt)
  }
  return { milliseconds: median(times), last }
}

async function searchAll(reader: (path: string) => Promise<unknown>) {
  let searching = true
  let longest = 0
  const probing = (async () => {
    while (searching) {
      const startedAt = performance.now()
      await reader('/api/me')
      longest = Math.max(longest, performance.now() - startedAt)
      await setTimeout(PROBE_EVERY_MS)
    }
  })()
  const startedAt = performance.now()
  let requests = 0
  for (let before = ''; ; ) {
    const path = `/api/search?q=${ABSENT_WORD}${before}`
    const { next } = (await reader(path)) as { next: string | null }
    requests++
    if (next === null) break
    before = `&before=${next}`
  }
  const searchMs = performance.now() - startedAt
  searching = false
  await probing
  return { searchMs, searchRequests: requests, besideSearchMs: longest }
}

async function syncMissed(job: ReadsJob) {
  const sync = (query: string) => get(`${job.origin}/api/sync${query}`, job.toToken)
  const { cursor } = (await sync('')) as { cursor: string }
  await sendWhileAway(job)
  const startedAt = performance.now()
  let synced = 0
  for (let next = cursor; ; ) {
    const query = `?cursor=${encodeURIComponent(next)}&limit=${SYNC_PAGE}`
    const page = (await sync(query)) as { events: unknown[]; cursor: string; hasMore: boolean }
    synced += page.events.length
    next = page.cursor
    if (!page.hasMore) break
  }
  if (synced !== job.missed) throw new Error(`${job.missed} were missed, ${synced} were told`)
  return { syncMs: performance.now() - startedAt, synced }
}

async function sendWhileAway(job: ReadsJob): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let received = 0
  let sent = 0
  const client = await connectHub(job.origin, job.fromToken, {
    failed: reject,
    // The sender's own connection receives each message once it is stored.
    received() {
      received++
      if (received === job.missed) resolve()
      else if (sent < job.missed) client.sendMessage(job.conversationId, sent++)
    },
  })
  while (sent < Math.min(IN_FLIGHT, job.missed)) client.sendMessage(job.conversationId, sent++)
  await promise
  client.close()
}

async function get(url: string, token: string): Promise<unknown> {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } })
  if (!response.ok) throw new Error(`GET ${url}: ${response.status} ${await response.text()}`)
  return response.json()
}
