import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { DAY, MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { mfaErrors } from './errors.ts'
import { countFailure, deleteAttempts, findWaits, setWait } from './store.ts'

/*
 * What can be guessed is a code of six digits, and a password shown once more. Recovery codes and passkeys cannot,
 * so they are neither counted nor shut: whoever has the password alone cannot keep the owner out. Codes are counted
 * by account and address, so that the owner elsewhere is not shut out with the guesser, and each five of an address
 * wait twice as long as the five before. Somebody with many addresses is stopped by the count of all of them,
 * which is the bound on guessing: 100 a day find a code with a chance of 3 in 10,000 (window of three steps; NIST
 * SP 800-63B-4 §3.2.2 allows as many in a row). Then the owner needs a recovery code or a passkey, too.
 */
const TRIES = 5
const FIRST_WAIT = 15 * MINUTE
const MOST_OF_ALL = 100
/** How long after the last wrong code all are forgotten, and the longest wait. */
const MEMORY = DAY
const EVERYWHERE = '*'

interface Account {
  readonly id: string
  readonly tenant_id: string
}

/** Refuses with `rate_limited` while codes of the account are not looked at from where the caller is. */
export async function requireTries(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
  { id }: Pick<Account, 'id'>,
): Promise<void> {
  const now = ctx.clock.now()
  const [until] = await findWaits(ctx.db.read, id, countsOf(actor), toIso(now))
  if (until === undefined) return
  const retryAfterSeconds = Math.ceil((Date.parse(until) - now) / SECOND)
  throw new AppError(mfaErrors.tooManyTries, {}, { retryAfterSeconds })
}

/** Writes a wrong code or passkey down and refuses it; `counts`: what could be guessed. */
export async function refuseFactor(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  account: Account,
  counts = true,
): Promise<never> {
  await ctx.db.transaction(async (tx) => {
    if (counts) await count(ctx, tx, actor, account)
    await recordAudit(ctx, tx, actor, {
      type: 'factor.refused',
      outcome: 'deny',
      target: { type: 'user', id: account.id },
    })
  })
  throw new AppError(mfaErrors.invalidFactor)
}

/** A right code forgives the wrong ones of its address. Another address goes on waiting. */
export async function forgiveTries(tx: Tx, actor: Actor, userId: string): Promise<void> {
  await deleteAttempts(tx, userId, countsOf(actor))
}

async function count(
  { clock }: Pick<Ctx, 'clock'>,
  tx: Tx,
  actor: Actor,
  { id, tenant_id }: Account,
): Promise<void> {
  const now = clock.now()
  const forget_at = toIso(now + MEMORY)
  for (const address of countsOf(actor)) {
    const row = { user_id: id, address, tenant_id, forget_at }
    const failures = await countFailure(tx, row, toIso(now))
    const wait = address === EVERYWHERE ? waitOfAll(failures) : waitOf(failures)
    if (wait > 0) await setWait(tx, { ...row, wait_until: toIso(now + wait) })
  }
}

function countsOf({ origin }: Actor): string[] {
  return [origin.ip ?? '', EVERYWHERE]
}

function waitOf(failures: number): number {
  if (failures % TRIES !== 0) return 0
  return Math.min(MEMORY, FIRST_WAIT * 2 ** (failures / TRIES - 1))
}

function waitOfAll(failures: number): number {
  return failures < MOST_OF_ALL ? 0 : MEMORY
}
