import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { DAY, MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { limitKey } from '../../platform/networks.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { mfaErrors } from './errors.ts'
import { countTry, deleteAttempts, setWait, uncountTry } from './store.ts'

/*
 * Six-digit codes, and a password that is asked for again, can be guessed. Recovery codes and passkeys
 * cannot, so they are neither counted nor blocked: knowing the password alone is not enough to lock the owner
 * out. Codes are counted by account and address, so that the owner elsewhere is not blocked with the guesser,
 * and each five tries of an address wait twice as long as the five before. A guesser with many addresses is
 * stopped by the count of all addresses, which bounds guessing: 100 a day find a code with a chance of 3 in
 * 10,000 (window of three steps; NIST SP 800-63B-4 §3.2.2 allows as many in a row). Then the owner, too,
 * needs a recovery code or a passkey.
 *
 * A try is counted before it is checked, and taken back if it was right, so that the limits also hold for
 * concurrent tries.
 */
const TRIES = 5
const FIRST_WAIT = 15 * MINUTE
const MAX_OF_ALL = 100
/**
 * The longest wait, and how long wrong tries are remembered: those of an address after its last one, those of
 * all addresses after the first one.
 */
const MEMORY = DAY
const EVERYWHERE = '*'

interface Account {
  readonly id: string
  readonly tenant_id: string
}

/** Counts a try before it is checked. Throws `rate_limited` once the limit is reached. */
export async function reserveTry(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
  account: Account,
): Promise<void> {
  await ctx.db.transaction(async (tx) => {
    const now = ctx.clock.now()
    const ofAddress = await count(tx, account, addressOf(actor), now)
    const ofAll = await count(tx, account, EVERYWHERE, now)
    const until = Math.max(ofAddress, ofAll)
    if (until <= now) return
    // The error rolls the transaction back: a try that is not checked is not counted.
    const retryAfterSeconds = Math.ceil((until - now) / SECOND)
    throw new AppError(mfaErrors.tooManyTries, {}, { retryAfterSeconds })
  })
}

/** Takes a reserved try back, because it was right. */
export async function takeTryBack(tx: Tx, actor: Actor, userId: string): Promise<void> {
  for (const address of [addressOf(actor), EVERYWHERE]) await uncountTry(tx, userId, address)
}

/**
 * A right second factor clears the wrong tries of its address. Other addresses keep waiting, and the count of
 * all addresses stays: otherwise each sign-in of the owner would let a guesser continue.
 */
export async function forgiveTries(tx: Tx, actor: Actor, userId: string): Promise<void> {
  await deleteAttempts(tx, userId, addressOf(actor))
}

/** Records a wrong code or passkey and refuses it. */
export async function refuseFactor(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  account: Account,
): Promise<never> {
  await recordRefusedFactor(ctx, actor, account)
  throw new AppError(mfaErrors.invalidFactor)
}

export async function recordRefusedFactor(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  account: Account,
): Promise<void> {
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'factor.refused',
      outcome: 'deny',
      target: { type: 'user', id: account.id },
    }),
  )
}

/** Counts one try of an address, or of all. Returns until when tries were blocked there before this one. */
async function count(
  tx: Tx,
  { id, tenant_id }: Account,
  address: string,
  now: number,
): Promise<number> {
  const isOfAll = address === EVERYWHERE
  const forget_at = toIso(now + MEMORY)
  const row = { user_id: id, address, tenant_id, forget_at }
  const counted = await countTry(tx, row, { now: toIso(now), extend: !isOfAll })
  const wait = isOfAll ? waitOfAll(counted.failures) : waitOf(counted.failures)
  if (wait > 0) await setWait(tx, { ...row, wait_until: toIso(now + wait) })
  return Date.parse(counted.wait_until)
}

function addressOf({ origin }: Actor): string {
  return limitKey(origin.ip)
}

function waitOf(failures: number): number {
  if (failures % TRIES !== 0) return 0
  return Math.min(MEMORY, FIRST_WAIT * 2 ** (failures / TRIES - 1))
}

function waitOfAll(failures: number): number {
  return failures < MAX_OF_ALL ? 0 : MEMORY
}
