import type { Ctx } from '../../context.ts'
import { readEventLog } from '../../events/store.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { composeEvents } from './compose.ts'
import { type Cursor, isOutdated, readCursor, writeCursor } from './cursor.ts'
import { syncErrors } from './errors.ts'
import type { SyncPage, SyncQuery } from './schema.ts'
import { hasUnsettled, listEvents } from './visible-events.ts'

export { isOutdated, readCursor, writeCursor } from './cursor.ts'

const SETTLE_TRIES = 20
const SETTLE_PAUSE_MS = 25

/**
 * Returns what happened since the cursor, in order, a page at a time: nothing is lost or repeated, however
 * long the device was away. Each event has its subject's current state; events whose subject is gone are
 * left out. Without a cursor: no events and the current cursor.
 */
export async function getChanges(
  ctx: Pick<Ctx, 'db' | 'clock' | 'keyring' | 'log'>,
  actor: Actor,
  input: SyncQuery,
): Promise<SyncPage> {
  const me = requireUser(actor)
  const { engine, read } = ctx.db
  const log = await readEventLog(read)
  const { generation } = log
  // A first cursor must be after all that has happened, and no cursor may pass unsettled events.
  if (input.cursor === undefined) await waitUntilSettled(ctx, me)
  // Taken before the query: what is written meanwhile comes after it.
  const now: Cursor = { generation, place: await engine.newestPlace() }
  if (input.cursor === undefined) return { events: [], cursor: writeCursor(now), hasMore: false }

  const cursor = readCursor(input.cursor)
  if (isOutdated(cursor, log)) throw new AppError(syncErrors.cursorExpired)
  const settled = await waitUntilSettled(ctx, me)
  const rows = await listEvents(read, engine, me, cursor.place, input.limit + 1)
  const page = rows.slice(0, input.limit)
  const last = page.at(-1)
  const caughtUp = settled ? now : cursor
  const next = last ? { generation, place: last } : caughtUp
  return {
    events: await composeEvents(ctx, me, page),
    cursor: writeCursor(next),
    hasMore: rows.length > input.limit || !settled,
  }
}

/**
 * Waits until all events before now can be read in their final order. Otherwise a device would miss what
 * was committed just before it connected: that would be neither in the page nor sent live. False if it
 * takes too long: the device then asks again. The embedded store never waits.
 */
async function waitUntilSettled(ctx: Pick<Ctx, 'db'>, reader: UserActor): Promise<boolean> {
  for (let tries = 0; tries < SETTLE_TRIES; tries++) {
    if (!(await hasUnsettled(ctx.db.read, ctx.db.engine, reader))) return true
    await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS))
  }
  return false
}
