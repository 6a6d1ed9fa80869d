import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { forgiveTries, refuseFactor, reserveTry, takeTryBack } from './attempts.ts'
import { mfaErrors } from './errors.ts'
import { checkPasskey } from './passkeys.ts'
import { hashCode, isRecoveryCode } from './recovery.ts'
import type { FactorProof } from './schema.ts'
import { findTotp, hasRecoveryCode, useRecoveryCode, useTotpStep } from './store.ts'
import { totpStep } from './totp.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config'>

/** A second factor that was checked but not yet consumed. */
export interface ShownFactor {
  /** Its method value in RFC 8176. */
  readonly method: 'otp' | 'hwk' | 'kba'
  /** Consumes it in the given transaction; throws if it was used in the meantime. */
  use(tx: Tx): Promise<void>
}

/** Checks a code or passkey: throws `invalid_second_factor`, or `rate_limited` after wrong codes. */
export async function verifyFactor(
  ctx: Needs,
  actor: Actor,
  user: { readonly id: string; readonly tenant_id: string },
  purpose: 'second-factor' | 'step-up',
  proof: FactorProof,
): Promise<ShownFactor> {
  if (!proof.code && !proof.passkey) throw new AppError(mfaErrors.noProof)
  const isGuessable = !proof.passkey && !isRecoveryCode(proof.code ?? '')
  if (isGuessable) await reserveTry(ctx, actor, user)
  const shown = await check(ctx, user.id, purpose, proof)
  if (!shown) return refuseFactor(ctx, actor, user)
  return {
    method: shown.method,
    async use(tx) {
      await shown.use(tx)
      if (isGuessable) await takeTryBack(tx, actor, user.id)
      await forgiveTries(tx, actor, user.id)
    },
  }
}

async function check(
  ctx: Needs,
  userId: string,
  purpose: 'second-factor' | 'step-up',
  { code, passkey }: FactorProof,
): Promise<ShownFactor | undefined> {
  if (passkey) {
    const used = await checkPasskey(ctx, purpose, userId, passkey)
    return used && { method: 'hwk', use: used.use }
  }
  return code && isRecoveryCode(code)
    ? checkRecovery(ctx, userId, code)
    : checkTotp(ctx, userId, code ?? '')
}

async function checkTotp(
  ctx: Needs,
  userId: string,
  code: string,
): Promise<ShownFactor | undefined> {
  const row = await findTotp(ctx.db.read, userId)
  if (!row?.confirmed_at) return undefined
  const step = await totpStep(ctx, row, code.replaceAll(/\s/g, ''))
  if (step === undefined || step <= row.last_step) return undefined
  return {
    method: 'otp',
    async use(tx) {
      if (!(await useTotpStep(tx, userId, step))) throw new AppError(mfaErrors.invalidFactor)
    },
  }
}

async function checkRecovery(
  ctx: Needs,
  userId: string,
  code: string,
): Promise<ShownFactor | undefined> {
  const hash = hashCode(userId, code)
  if (!(await hasRecoveryCode(ctx.db.read, userId, hash))) return undefined
  return {
    // Something the user knows: RFC 8176 has no value for a code on paper.
    method: 'kba',
    async use(tx) {
      const now = toIso(ctx.clock.now())
      if (!(await useRecoveryCode(tx, userId, hash, now))) {
        throw new AppError(mfaErrors.invalidFactor)
      }
    },
  }
}
