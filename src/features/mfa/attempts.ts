import type { Ctx } from '../../context.ts'
import { MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { mfaErrors } from './errors.ts'
import { countFailure, findAttempts } from './store.ts'

/** A code of six digits is guessed with a chance of 1 in 200,000 by so many tries (window of three steps). */
const MOST_FAILURES = 5
const WINDOW = 15 * MINUTE

interface Account {
  readonly id: string
  readonly tenant_id: string
}

/** Refuses with `rate_limited` an account whose codes were guessed at too often lately. */
export async function requireTries(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  { id }: Pick<Account, 'id'>,
): Promise<void> {
  const now = ctx.clock.now()
  const attempts = await findAttempts(ctx.db.read, id, toIso(now))
  if (!attempts || attempts.failures < MOST_FAILURES) return
  const retryAfterSeconds = Math.ceil((Date.parse(attempts.window_ends_at) - now) / SECOND)
  throw new AppError(mfaErrors.tooManyTries, {}, { retryAfterSeconds })
}

/** Writes a wrong code down and refuses it. */
export async function refuseFactor(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  { id, tenant_id }: Account,
): Promise<never> {
  const now = ctx.clock.now()
  await ctx.db.transaction(async (tx) => {
    const window_ends_at = toIso(now + WINDOW)
    await countFailure(tx, { user_id: id, tenant_id, window_ends_at }, toIso(now))
    await recordAudit(ctx, tx, actor, {
      type: 'factor.refused',
      outcome: 'deny',
      target: { type: 'user', id },
    })
  })
  throw new AppError(mfaErrors.invalidFactor)
}
