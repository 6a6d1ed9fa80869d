import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { isConflict } from '../../db/errors.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { lockUser } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { renewProof } from '../sessions/access.ts'
import { factorsOf } from './access.ts'
import { refuseFactor, reserveTry, takeTryBack } from './attempts.ts'
import { keepNewTotp } from './complete.ts'
import { mfaErrors } from './errors.ts'
import { requireSignInMethod } from './last-method.ts'
import { checkNewPasskey, registrationOptions } from './passkeys.ts'
import { renewRecoveryCodes } from './recovery.ts'
import type {
  AddedPasskey,
  AddPasskey,
  ConfirmTotp,
  NewTotp,
  PasskeyId,
  PasskeyOptions,
  RecoveryCodes,
  SecondFactors,
} from './schema.ts'
import {
  confirmTotp,
  countRecoveryCodes,
  deletePasskey,
  deleteTotp,
  findTotp,
  insertPasskey,
  listPasskeys,
  replaceRecoveryCodes,
  useTotpStep,
} from './store.ts'
import { totpStep } from './totp.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config'>

const MAX_PASSKEYS = 20

/** The caller's second factors, without any secrets. */
export async function getFactors(
  ctx: Pick<Ctx, 'db' | 'config'>,
  actor: Actor,
): Promise<SecondFactors> {
  const { userId, role } = requireUser(actor)
  const [totp, passkeys, recoveryCodesLeft] = await Promise.all([
    findTotp(ctx.db.read, userId),
    listPasskeys(ctx.db.read, userId),
    countRecoveryCodes(ctx.db.read, userId),
  ])
  return {
    totp: Boolean(totp?.confirmed_at),
    passkeys: passkeys.map((row) => ({
      id: row.id,
      name: row.name,
      createdAt: row.created_at,
      lastUsedAt: row.last_used_at,
    })),
    recoveryCodesLeft,
    methods: [...ctx.config.mfa.methods],
    required: ctx.config.mfa.requiredRoles.includes(role),
  }
}

/** Begins setting up an authenticator app: it counts once one of its codes was entered. */
export async function beginTotp(ctx: Needs, actor: Actor): Promise<NewTotp> {
  const { userId, tenantId, username } = requireUser(actor)
  return keepNewTotp(ctx, { id: userId, tenant_id: tenantId, username }, (tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'factor.set_up_begun',
      target: { type: 'user', id: userId },
      details: { factor: 'totp' },
    }),
  )
}

/** Completes the set-up; returns recovery codes if the account had no second factor before. */
export async function finishTotp(
  ctx: Needs,
  actor: Actor,
  input: ConfirmTotp,
): Promise<RecoveryCodes> {
  const user = requireUser(actor)
  const account = { id: user.userId, tenant_id: user.tenantId }
  const row = await findTotp(ctx.db.read, user.userId)
  if (!row || row.confirmed_at) throw new AppError(mfaErrors.notSetUp)
  await reserveTry(ctx, actor, account)
  const step = await totpStep(ctx, row, input.code)
  if (step === undefined) return refuseFactor(ctx, actor, account)
  return ctx.db.transaction(async (tx) => {
    // Of two first factors at once only one brings recovery codes.
    await lockUser(tx, user.tenantId, user.userId)
    const before = await factorsOf(tx, user.userId)
    const confirmed = await confirmTotp(tx, user.userId, toIso(ctx.clock.now()))
    const used = await useTotpStep(tx, user.userId, step)
    if (!confirmed || !used) throw new AppError(mfaErrors.notSetUp)
    await takeTryBack(tx, actor, user.userId)
    return { recoveryCodes: await added(ctx, tx, user, 'totp', before.length === 0) }
  })
}

export async function removeTotp(ctx: Needs, actor: Actor): Promise<void> {
  const user = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    await lockUser(tx, user.tenantId, user.userId)
    if (!(await deleteTotp(tx, user.userId))) throw new AppError(commonErrors.notFound)
    await removed(ctx, tx, user, 'totp')
  })
}

export async function passkeyOptions(ctx: Needs, actor: Actor): Promise<PasskeyOptions> {
  if (!ctx.config.mfa.methods.includes('passkey')) throw new AppError(mfaErrors.methodNotOffered)
  return registrationOptions(ctx, requireUser(actor))
}

/** Stores a passkey created by the caller's authenticator. */
export async function addPasskey(
  ctx: Needs,
  actor: Actor,
  input: AddPasskey,
): Promise<AddedPasskey> {
  if (!ctx.config.mfa.methods.includes('passkey')) throw new AppError(mfaErrors.methodNotOffered)
  const user = requireUser(actor)
  const { use, ...passkey } = await checkNewPasskey(ctx, user.userId, input.passkey)
  const id = ctx.ids.next()
  try {
    return await ctx.db.transaction(async (tx) => {
      // As for an authenticator app; and passkeys are counted one after another.
      await lockUser(tx, user.tenantId, user.userId)
      await use(tx)
      const before = await factorsOf(tx, user.userId)
      const { length } = await listPasskeys(tx, user.userId)
      if (length >= MAX_PASSKEYS) throw new AppError(mfaErrors.tooManyPasskeys)
      await insertPasskey(tx, {
        id,
        tenant_id: user.tenantId,
        user_id: user.userId,
        ...passkey,
        name: input.name,
        created_at: toIso(ctx.clock.now()),
        last_used_at: null,
      })
      return { id, recoveryCodes: await added(ctx, tx, user, 'passkey', before.length === 0) }
    })
  } catch (error) {
    if (isConflict(error)) throw new AppError(mfaErrors.invalidPasskey)
    throw error
  }
}

/** Removes a passkey, unless that leaves no way to sign in. */
export async function removePasskey(ctx: Needs, actor: Actor, input: PasskeyId): Promise<void> {
  const user = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    await lockUser(tx, user.tenantId, user.userId)
    if (!(await deletePasskey(tx, user.userId, input.id))) throw new AppError(commonErrors.notFound)
    await requireSignInMethod(tx, user)
    await removed(ctx, tx, user, 'passkey')
  })
}

/** New recovery codes; the old ones become invalid. */
export async function renewCodes(ctx: Needs, actor: Actor): Promise<RecoveryCodes> {
  const user = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    await lockUser(tx, user.tenantId, user.userId)
    if ((await factorsOf(tx, user.userId)).length === 0) throw new AppError(mfaErrors.notSetUp)
    const recoveryCodes = await renewRecoveryCodes(ctx, tx, user)
    await recordAudit(ctx, tx, actor, {
      type: 'factor.codes_renewed',
      target: { type: 'user', id: user.userId },
    })
    return { recoveryCodes }
  })
}

/** Adding a factor counts as having just shown it in this session. */
async function added(
  ctx: Needs,
  tx: Tx,
  user: UserActor,
  factor: string,
  isFirst: boolean,
): Promise<string[]> {
  const now = toIso(ctx.clock.now())
  if (user.sessionId) {
    await renewProof(tx, user.sessionId, { authenticated_at: now, second_factor_at: now })
  }
  await recordAudit(ctx, tx, user, {
    type: 'factor.added',
    target: { type: 'user', id: user.userId },
    details: { factor },
  })
  return isFirst ? renewRecoveryCodes(ctx, tx, user) : []
}

/** Removing the last factor deletes the recovery codes; roles that require a factor must keep one. */
async function removed(ctx: Needs, tx: Tx, user: UserActor, factor: string): Promise<void> {
  if ((await factorsOf(tx, user.userId)).length === 0) {
    if (ctx.config.mfa.requiredRoles.includes(user.role)) {
      throw new AppError(mfaErrors.stillRequired)
    }
    await replaceRecoveryCodes(tx, user.userId, [])
  }
  await recordAudit(ctx, tx, user, {
    type: 'factor.removed',
    target: { type: 'user', id: user.userId },
    details: { factor },
  })
}
