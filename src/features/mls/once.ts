import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { UserActor } from '../../policy/actor.ts'
import { mlsErrors } from './errors.ts'
import { findAnswer, insertAnswer, updateAnswer } from './store/answers.ts'

/** A request that a client may repeat. */
export interface Repeatable {
  readonly method: string
  /** The idempotency key; if undefined, every request is a new one. */
  readonly key: string | undefined
  readonly bodyHash: string
}

function idOf(me: UserActor, { method, key }: Repeatable): string {
  return sha256Hex(`${me.userId} ${method} ${key}`)
}

/**
 * Runs a use case and, if it is refused, returns the answer of an earlier identical request if there is
 * one. For example, a former member may not leave, but a repeated request to leave gets its first answer.
 */
export async function orEarlierAnswer<T>(
  db: Db,
  me: UserActor,
  once: Repeatable,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const first = error instanceof AppError ? await findFirstAnswer<T>(db, me, once) : undefined
    if (first === undefined) throw error
    return first
  }
}

/** The answer to the first request with this key; undefined for a new request. */
async function findFirstAnswer<T>(db: Db, me: UserActor, once: Repeatable): Promise<T | undefined> {
  if (once.key === undefined) return undefined
  const first = await findAnswer(db, idOf(me, once))
  if (!first) return undefined
  if (first.body_hash !== once.bodyHash) throw new AppError(mlsErrors.idempotencyConflict)
  return JSON.parse(first.answer)
}

/**
 * Does the work once: a repeat with the same key and body gets the first answer, whatever has changed
 * since; with another body it throws `IdempotencyConflict`. The row is inserted first, so that a concurrent
 * repeat waits, and in the same transaction, so that a failed request can be retried.
 */
export async function runIdempotent<T extends object>(
  ctx: Pick<Ctx, 'clock'>,
  tx: Tx,
  me: UserActor,
  once: Repeatable,
  work: () => Promise<T>,
): Promise<T> {
  if (once.key === undefined) return work()
  const id = idOf(me, once)
  const row = {
    id,
    tenant_id: me.tenantId,
    body_hash: once.bodyHash,
    answer: '',
    created_at: toIso(ctx.clock.now()),
  }
  if (!(await insertAnswer(tx, row))) {
    const first = await findFirstAnswer<T>(tx, me, once)
    if (first === undefined) throw new AppError(mlsErrors.idempotencyConflict)
    return first
  }
  const answer = await work()
  await updateAnswer(tx, id, JSON.stringify(answer))
  return answer
}
