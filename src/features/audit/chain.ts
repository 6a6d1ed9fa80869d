import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { AuditEventRow, AuditLink } from '../../db/tables.ts'
import { MINUTE } from '../../platform/clock.ts'
import { firstIdAt, timeOfId } from '../../platform/ids.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import {
  chainFrom,
  countUnchained,
  eventsWithLinks,
  insertLinks,
  newestLink,
  unchainedAmong,
  unchainedEvents,
} from './store.ts'

/** Few enough that messages hardly wait for one transaction. */
const PAGE = 100
/** Ids that one look takes in: a few milliseconds. */
const LOOK = 2000
/** An event's id is made before its transaction commits, at most this long before. */
const LATE_COMMIT = 10 * MINUTE
/** What the first link has in place of a hash before it. */
const START = '0'.repeat(64)

/**
 * Links committed events that have no link yet, each with the hash of the one before, so that a
 * change or a gap shows. Writers never wait for each other: only this job appends. It looks back a
 * few minutes; older ones, from under a clock that was set back, are `chainOldEvents`'s. Returns how
 * many it linked.
 */
export async function chainAuditEvents(ctx: Pick<Ctx, 'db'>): Promise<number> {
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

/** Looks through all events, in small steps, for those that `chainAuditEvents` has passed. */
export async function chainOldEvents(ctx: Pick<Ctx, 'db'>, signal: AbortSignal): Promise<void> {
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

/** Two nodes must not fork the chain: the later of the two waits, and finds nothing left to link. */
async function linkUnder(
  ctx: Pick<Ctx, 'db'>,
  find: (tx: Tx, newest: AuditLink | undefined) => Promise<AuditEventRow[]>,
): Promise<number> {
  return ctx.db.transaction(async (tx) => {
    await ctx.db.engine.lockAuditChain(tx)
    const newest = await newestLink(tx)
    let previous = newest?.hash ?? START
    const links = (await find(tx, newest)).map((event) => {
      const link = { event_id: event.id, previous_hash: previous, hash: linkHash(previous, event) }
      previous = link.hash
      return link
    })
    if (links.length > 0) await insertLinks(tx, links)
    return links.length
  })
}

export interface ChainReport {
  readonly checked: number
  /** The first event that is not what was linked, if there is one. */
  readonly broken: { readonly position: number; readonly eventId: string } | undefined
  /** Events that no link names: a few that are younger than the job's last turn are normal. */
  readonly unlinked: number
}

/** Recomputes the chain from its start. */
export async function verifyAuditChain(ctx: Pick<Ctx, 'db'>): Promise<ChainReport> {
  const unlinked = await countUnchained(ctx.db.read)
  let previous = START
  let position = 0
  let checked = 0
  for (;;) {
    const links = await chainFrom(ctx.db.read, position, PAGE)
    for (const link of links) {
      if (link.previous_hash !== previous || link.hash !== linkHash(previous, link)) {
        const { position, event_id: eventId } = link
        return { checked, broken: { position, eventId }, unlinked }
      }
      previous = link.hash
      position = link.position
      checked++
    }
    if (links.length < PAGE) return { checked, broken: undefined, unlinked }
  }
}

/** An event that is gone has nulls in every field, and so a hash that is no link's. */
type AuditFields = { readonly [K in keyof AuditEventRow]: AuditEventRow[K] | null }

function linkHash(previous: string, event: AuditFields): string {
  // A fixed order of fields: the same on every engine and in every version.
  const fields = [
    event.id,
    event.tenant_id,
    event.created_at,
    event.type,
    event.outcome,
    event.actor_kind,
    event.actor_id,
    event.session_id,
    event.target_type,
    event.target_id,
    event.operation,
    event.ip,
    event.user_agent_hash,
    event.request_id,
    event.details,
  ]
  return sha256Hex(previous + JSON.stringify(fields))
}
