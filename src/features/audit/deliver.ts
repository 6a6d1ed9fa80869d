import type { AuditSinkName } from '../../config/compliance.ts'
import type { Ctx } from '../../context.ts'
import type { AuditSinkRow } from '../../db/tables.ts'
import { MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { spread } from '../../platform/spread.ts'
import { randomToken } from '../../platform/tokens.ts'
import { readPage } from './page.ts'
import { type AuditSink, createSinks } from './sinks.ts'
import { newestLink } from './store.ts'
import { newestCheckpoint } from './store-checkpoints.ts'
import { addSink, claimSink, findSink, updateSink } from './store-sinks.ts'

/** How long a dead process keeps its claim on a sink: longer than any write takes. */
const CLAIM = 10 * SECOND
const FIRST_PAUSE = 5 * SECOND
/** Short, so that a receiver that was down for an hour has everything a minute after it returns. */
const MAX_PAUSE = MINUTE

type Needs = Pick<Ctx, 'db' | 'clock' | 'config' | 'log'>

/** Identifies this process among those that share a store. */
const ME = randomToken(9)

/**
 * Sends one sink everything in the chain that it has not received, in order, and stores its position after
 * each batch: after a crash lines may be sent again, but none is lost. Returns at the first failure and
 * postpones the next attempt, longer each time.
 */
export async function deliverTo(ctx: Needs, name: AuditSinkName, signal: AbortSignal) {
  const sink = createSinks(ctx).find((one) => one.name === name)
  if (!sink || !(await isAnythingDue(ctx, name))) return
  while (!signal.aborted) {
    const now = ctx.clock.now()
    const claimed = await ctx.db.transaction(async (tx) => {
      await addSink(tx, name)
      return claimSink(tx, name, ME, toIso(now), toIso(now + CLAIM))
    })
    if (!claimed || claimed.next_try_at > toIso(now)) return
    if (!(await deliverBatch(ctx, sink, claimed))) return
  }
}

/** Checks without a transaction, so that an idle server writes nothing. */
async function isAnythingDue(ctx: Needs, name: AuditSinkName): Promise<boolean> {
  const { read } = ctx.db
  const [cursor, head, mark] = [
    await findSink(read, name),
    await newestLink(read),
    await newestCheckpoint(read),
  ]
  if (!cursor) return head !== undefined
  return (head?.position ?? 0) > cursor.position || (mark?.sequence ?? 0) > cursor.checkpoint
}

/** Returns true if there may be more. */
async function deliverBatch(ctx: Needs, sink: AuditSink, cursor: AuditSinkRow): Promise<boolean> {
  const { lines, next } = await readPage(ctx.db.read, cursor, sink.batch)
  if (lines.length === 0) return false
  try {
    await sink.write(lines)
  } catch (error) {
    await putOff(ctx, sink, cursor, error)
    return false
  }
  return ctx.db.transaction((tx) =>
    updateSink(tx, sink.name, ME, {
      ...next,
      attempts: 0,
      next_try_at: '',
      failing_since: null,
      claimed_until: toIso(ctx.clock.now() + CLAIM),
    }),
  )
}

async function putOff(
  ctx: Needs,
  sink: AuditSink,
  cursor: AuditSinkRow,
  error: unknown,
): Promise<void> {
  const now = ctx.clock.now()
  const pause = spread(Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** Math.min(cursor.attempts, 10)))
  ctx.log.warn({ err: error, sink: sink.name }, 'an audit sink accepts nothing; trying again later')
  await ctx.db.transaction((tx) =>
    updateSink(tx, sink.name, ME, {
      attempts: cursor.attempts + 1,
      next_try_at: toIso(now + pause),
      failing_since: cursor.failing_since ?? toIso(now),
      claimed_until: '',
    }),
  )
}
