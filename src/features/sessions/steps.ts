import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import type { SignInStepRow, UserRow } from '../../db/tables.ts'
import { MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { open, seal } from '../../platform/secret-box.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { findAccountById } from '../accounts/access.ts'
import { sessionErrors } from './errors.ts'
import type { SignIn } from './sign-in.ts'
import { findStep, insertStep, useStepRow } from './store-sign-in.ts'

/** An app redeems its code at once; a person has to find the telephone first. */
const LIFETIMES: Record<SignInStepRow['kind'], number> = {
  'second-factor': 10 * MINUTE,
  enrolment: 15 * MINUTE,
  'app-code': 60 * SECOND,
}

/** Where a sign-in ends that began in a browser for an app (RFC 8252, RFC 7636). */
export interface AppTarget {
  readonly redirect: string
  /** S256 of the app's verifier. */
  readonly challenge: string
  readonly state?: string | undefined
}

/** A sign-in that is half done, and what it is for. */
export interface PendingSignIn extends SignIn {
  readonly returnTo?: string | undefined
  readonly app?: AppTarget | undefined
}

export interface OpenStep {
  readonly token: string
  readonly expiresAt: string
}

type Needs = Pick<Ctx, 'db' | 'clock' | 'keyring'>

/** Keeps a half-done sign-in under a token, which whoever has it can go on with: once, and soon. */
export async function openStep(
  ctx: Needs,
  kind: SignInStepRow['kind'],
  user: UserRow,
  pending: PendingSignIn,
): Promise<OpenStep> {
  const token = randomToken(32)
  const tokenHash = sha256Hex(token)
  const now = ctx.clock.now()
  const expiresAt = toIso(now + LIFETIMES[kind])
  const sealed = seal(ctx.keyring.current('message'), JSON.stringify(pending), `step:${tokenHash}`)
  await ctx.db.transaction((tx) =>
    insertStep(tx, {
      token_hash: tokenHash,
      tenant_id: user.tenant_id,
      kind,
      user_id: user.id,
      user_updated_at: user.updated_at,
      key_id: sealed.keyId,
      sealed: sealed.bytes,
      attempts: 0,
      created_at: toIso(now),
      expires_at: expiresAt,
      used_at: null,
    }),
  )
  return { token, expiresAt }
}

export interface FoundStep {
  readonly tokenHash: string
  readonly kind: SignInStepRow['kind']
  readonly user: UserRow
  readonly pending: PendingSignIn
}

/**
 * The sign-in behind a token, or `invalid_or_expired_challenge`: also when the account changed since
 * (a new password, another role, suspended), because what was proved then says nothing now.
 */
export async function requireStep(
  ctx: Needs,
  db: Db,
  token: string,
  kinds: readonly SignInStepRow['kind'][],
): Promise<FoundStep> {
  const tokenHash = sha256Hex(token)
  const step = await findStep(db, tokenHash, toIso(ctx.clock.now()))
  const user = step && (await findAccountById(db, step.tenant_id, step.user_id))
  const key = step && ctx.keyring.find('message', step.key_id)
  const stands =
    step && user && key && kinds.includes(step.kind) && user.updated_at === step.user_updated_at
  if (!stands || user.status !== 'Active') throw new AppError(sessionErrors.invalidChallenge)
  const pending = JSON.parse(open(key, step.sealed, `step:${tokenHash}`)) as PendingSignIn
  return { tokenHash, kind: step.kind, user, pending }
}

/** Uses the step up in the transaction that it leads to; of two at once the second is refused. */
export async function useStep(ctx: Pick<Ctx, 'clock'>, tx: Tx, step: FoundStep): Promise<void> {
  if (!(await useStepRow(tx, step.tokenHash, toIso(ctx.clock.now())))) {
    throw new AppError(sessionErrors.invalidChallenge)
  }
}
