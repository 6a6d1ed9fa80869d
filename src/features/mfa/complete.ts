import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { methodNotAllowed } from '../../policy/errors.ts'
import { findAccountById } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import {
  accountNotActive,
  type FoundStep,
  type PendingSignIn,
  type Proof,
  requireStep,
  useStep,
} from '../sessions/service.ts'
import { refuseFactor, reserveTry, takeTryBack } from './attempts.ts'
import { mfaErrors } from './errors.ts'
import { checkPasskey } from './passkeys.ts'
import { renewRecoveryCodes } from './recovery.ts'
import type { CompleteSignIn, NewTotp, PasskeySignIn } from './schema.ts'
import { confirmTotp, findTotp, replaceTotp, useTotpStep } from './store.ts'
import { makeTotp, sealTotp, totpStep } from './totp.ts'
import { verifyFactor } from './verify.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config'>

/** A sign-in with all its steps done, ready to become a session. */
export interface CompleteProof {
  readonly user: UserRow
  readonly proof: Proof
  /** Where it leads, from the previous step. */
  readonly pending: PendingSignIn
  /** Filled when the proof is used, if this sign-in set up the first second factor. */
  readonly recoveryCodes: string[]
}

/** Continues a half-done sign-in with a code or a passkey. */
export async function completeSignIn(
  ctx: Needs,
  actor: Actor,
  input: CompleteSignIn,
): Promise<CompleteProof> {
  const step = await requireStep(ctx, ctx.db.read, input.challenge, ['second-factor', 'enrolment'])
  if (step.kind === 'enrolment') return completeEnrolment(ctx, actor, step, input.code)
  const shown = await verifyFactor(ctx, actor, step.user, 'second-factor', input)
  return {
    user: step.user,
    pending: step.pending,
    recoveryCodes: [],
    proof: withFactor(ctx, step.pending, shown.method, async (tx) => {
      await useStep(ctx, tx, step)
      await shown.use(tx)
    }),
  }
}

/** Creates the authenticator secret for a user whose role requires one before sign-in completes. */
export async function beginEnrolment(
  ctx: Needs,
  actor: Actor,
  challenge: string,
): Promise<NewTotp> {
  const { user } = await requireStep(ctx, ctx.db.read, challenge, ['enrolment'])
  return keepNewTotp(ctx, user, (tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'factor.set_up_begun',
      target: { type: 'user', id: user.id },
      details: { factor: 'totp' },
    }),
  )
}

/** Stores a new, unconfirmed secret in place of an earlier one; throws if one is already confirmed. */
export async function keepNewTotp(
  ctx: Needs,
  user: Pick<UserRow, 'id' | 'tenant_id' | 'username'>,
  record: (tx: Tx) => Promise<void>,
): Promise<NewTotp> {
  if (!ctx.config.mfa.methods.includes('totp')) throw new AppError(mfaErrors.methodNotOffered)
  const made = await makeTotp(ctx, user.username)
  await ctx.db.transaction(async (tx) => {
    const kept = await replaceTotp(tx, {
      user_id: user.id,
      tenant_id: user.tenant_id,
      ...sealTotp(ctx, user.id, made.secret),
      created_at: toIso(ctx.clock.now()),
      confirmed_at: null,
      last_step: 0,
    })
    if (!kept) throw new AppError(mfaErrors.alreadySetUp)
    await record(tx)
  })
  return made
}

async function completeEnrolment(
  ctx: Needs,
  actor: Actor,
  step: FoundStep,
  code: string | undefined,
): Promise<CompleteProof> {
  const { user, pending } = step
  const row = await findTotp(ctx.db.read, user.id)
  if (!row || row.confirmed_at) throw new AppError(mfaErrors.notSetUp)
  await reserveTry(ctx, actor, user)
  const totp = await totpStep(ctx, row, code ?? '')
  if (totp === undefined) return refuseFactor(ctx, actor, user)
  const recoveryCodes: string[] = []
  const proof = withFactor(ctx, pending, 'otp', async (tx) => {
    await useStep(ctx, tx, step)
    const confirmed = await confirmTotp(tx, user.id, toIso(ctx.clock.now()))
    if (!confirmed || !(await useTotpStep(tx, user.id, totp))) {
      throw new AppError(mfaErrors.invalidFactor)
    }
    await takeTryBack(tx, actor, user.id)
    const owner = { userId: user.id, tenantId: user.tenant_id }
    recoveryCodes.push(...(await renewRecoveryCodes(ctx, tx, owner)))
  })
  return { user, pending, proof: { ...proof, details: { enrolled: 'totp' } }, recoveryCodes }
}

function withFactor(
  ctx: Needs,
  pending: PendingSignIn,
  method: string,
  use: NonNullable<Proof['use']>,
): Proof {
  return {
    methods: [...pending.methods, method, 'mfa'],
    authenticatedAt: pending.authenticatedAt,
    secondFactorAt: ctx.clock.now(),
    sso: pending.sso,
    use,
  }
}

/**
 * Signs in by passkey alone. Since the authenticator must verify its holder, a passkey counts as both
 * factors: something the user has, and something they know or are.
 */
export async function completePasskeySignIn(
  ctx: Needs & Pick<Ctx, 'access'>,
  actor: Actor,
  input: PasskeySignIn,
): Promise<CompleteProof> {
  // Like a password, a passkey opens a local account, so it is refused where passwords are.
  if (!ctx.access.rules().methods.has('password')) throw methodNotAllowed('password')
  const used = await checkPasskey(ctx, 'sign-in', null, input.passkey)
  const user =
    used && (await findAccountById(ctx.db.read, used.passkey.tenant_id, used.passkey.user_id))
  if (!used || !user) {
    await ctx.db.transaction((tx) =>
      recordAudit(ctx, tx, actor, { type: 'factor.refused', outcome: 'deny' }),
    )
    throw new AppError(mfaErrors.invalidFactor)
  }
  if (user.status !== 'Active') throw accountNotActive(user.status)
  const now = ctx.clock.now()
  const proof: Proof = {
    methods: ['hwk', 'user', 'mfa'],
    authenticatedAt: now,
    secondFactorAt: now,
    use: used.use,
  }
  return { user, proof, pending: proof, recoveryCodes: [] }
}
