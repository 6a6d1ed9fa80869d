import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import type { AuditEventRow, AuditLink } from '../../db/tables.ts'
import { MINUTE } from '../../platform/clock.ts'
import { firstIdAt, timeOfId } from '../../platform/ids.ts'
import { countEvent } from './count.ts'
import { linkHash, START_OF_CHAIN } from './link-hash.ts'
import {
  eventsWithLinks,
  insertLinks,
  newestLink,
  unchainedAmong,
  unchainedEvents,
} from './store.ts'
import { newestPruning } from './store-checkpoints.ts'

/** Small enough that one transaction hardly delays messages. */
const PAGE = 100
/** Ids per query: a few milliseconds. */
const LOOK = 2000
/** An event's id is made at most this long before its transaction commits. */
const LATE_COMMIT = 10 * MINUTE

/**
 * Links committed events that have no link yet, each with the hash of the previous one, so that changes and
 * gaps can be detected. Only this job appends, so that writers never wait for each other. It looks back a few
 * minutes; `chainOldEvents` links older ones, written while the clock was set back. Returns how many it
 * linked.
 */
export async function chainAuditEvents(ctx: Pick<Ctx, 'db' | 'metrics'>): Promise<number> {
  let total = 0
  for (;;) {
    const count = await linkUnder(ctx, async (tx, newest) => {
      const from = newest ? firstIdAt(timeOfId(newest.event_id) - LATE_COMMIT) : ''
      return unchainedEvents(tx, from, PAGE)
    })
    total += count
    if (count < PAGE) return total
  }
}

/** Scans all events, in small steps, for those that `chainAuditEvents` has missed. */
export async function chainOldEvents(
  ctx: Pick<Ctx, 'db' | 'metrics'>,
  signal: AbortSignal,
): Promise<void> {
  for (let after = ''; !signal.aborted; ) {
    const events = await eventsWithLinks(ctx.db.read, after, LOOK)
    const missed = events.filter((event) => event.linked === null).map((event) => event.id)
    for (let start = 0; start < missed.length; start += PAGE) {
      const ids = missed.slice(start, start + PAGE)
      await linkUnder(ctx, (tx) => unchainedAmong(tx, ids))
    }
    const last = events.at(-1)
    if (!last || events.length < LOOK) return
    after = last.id
  }
}

/** Keeps two nodes from forking the chain: the later one waits, and finds nothing left to link. */
async function linkUnder(
  ctx: Pick<Ctx, 'db' | 'metrics'>,
  find: (tx: Tx, newest: AuditLink | undefined) => Promise<AuditEventRow[]>,
): Promise<number> {
  const linked = await ctx.db.transaction(async (tx) => {
    await ctx.db.engine.lockAuditChain(tx)
    const newest = await newestLink(tx)
    let previous = newest?.hash ?? (await startOfChain(tx))
    const events = await find(tx, newest)
    const links = events.map((event) => {
      const link = { event_id: event.id, previous_hash: previous, hash: linkHash(previous, event) }
      previous = link.hash
      return link
    })
    if (links.length > 0) await insertLinks(tx, links)
    return events
  })
  for (const event of linked) countEvent(ctx.metrics, event)
  return linked.length
}

async function startOfChain(db: Db): Promise<string> {
  return (await newestPruning(db))?.chain_hash ?? START_OF_CHAIN
}
