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

/** An app redeems its code at once; a person may first have to find their phone. */
const LIFETIMES: Record<SignInStepRow['kind'], number> = {
  'second-factor': 10 * MINUTE,
  enrolment: 15 * MINUTE,
  'app-code': 60 * SECOND,
}

/** The app that a sign-in in a browser was begun for (RFC 8252, RFC 7636). */
export interface AppTarget {
  readonly redirect: string
  /** S256 of the app's verifier. */
  readonly challenge: string
  readonly state?: string | undefined
}

/** An incomplete sign-in, and where it leads. */
export interface PendingSignIn extends SignIn {
  readonly returnTo?: string | undefined
  readonly app?: AppTarget | undefined
}

export interface OpenStep {
  readonly token: string
  readonly expiresAt: string
}

type Needs = Pick<Ctx, 'db' | 'clock' | 'keyring'>

/** Stores an incomplete sign-in under a bearer token with which it can be continued: once, and soon. */
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
 * Returns the sign-in behind a token, or throws `invalid_or_expired_challenge`, also if the account has
 * changed since (a new password, another role, suspended): the earlier proof no longer counts.
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

/**
 * Consumes the step in the transaction that completes it; the second of two
 * concurrent attempts is refused.
 */
export async function useStep(ctx: Pick<Ctx, 'clock'>, tx: Tx, step: FoundStep): Promise<void> {
  if (!(await useStepRow(tx, step.tokenHash, toIso(ctx.clock.now())))) {
    throw new AppError(sessionErrors.invalidChallenge)
  }
}
