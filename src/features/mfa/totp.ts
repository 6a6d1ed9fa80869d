import type { Ctx } from '../../context.ts'
import type { TotpSecretRow } from '../../db/tables.ts'
import { SECOND } from '../../platform/clock.ts'
import { open, seal } from '../../platform/secret-box.ts'
import type { NewTotp } from './schema.ts'

/** RFC 6238 as authenticator apps support it: SHA-1, six digits, steps of 30 s. */
const PERIOD_SECONDS = 30
/** 160 bits: the length of the hash (RFC 4226 §4). */
const SECRET_BYTES = 20

/** A new secret for an authenticator app: in base 32 for typing, and as a URI for a QR code. */
export async function makeTotp(ctx: Pick<Ctx, 'config'>, username: string): Promise<NewTotp> {
  const { Secret, TOTP } = await import('otpauth')
  const secret = new Secret({ size: SECRET_BYTES })
  const totp = new TOTP({ issuer: ctx.config.mfa.totpIssuer, label: username, secret })
  return { secret: secret.base32, uri: totp.toString() }
}

export function sealTotp(
  ctx: Pick<Ctx, 'keyring'>,
  userId: string,
  secret: string,
): Pick<TotpSecretRow, 'key_id' | 'sealed'> {
  const sealed = seal(ctx.keyring.current('message'), secret, `totp:${userId}`)
  return { key_id: sealed.keyId, sealed: sealed.bytes }
}

/** The step whose code this is, or undefined; the caller must check in the store whether it was used. */
export async function totpStep(
  ctx: Pick<Ctx, 'keyring' | 'clock' | 'config'>,
  row: TotpSecretRow,
  code: string,
): Promise<number | undefined> {
  const key = ctx.keyring.find('message', row.key_id)
  if (!key) throw new Error(`the key ${row.key_id} of an authenticator's secret is not here`)
  const { TOTP } = await import('otpauth')
  const secret = open(key, row.sealed, `totp:${row.user_id}`)
  const timestamp = ctx.clock.now()
  const delta = new TOTP({ secret, period: PERIOD_SECONDS }).validate({
    token: code,
    timestamp,
    window: ctx.config.mfa.totpWindow,
  })
  if (delta === null) return undefined
  return Math.floor(timestamp / (PERIOD_SECONDS * SECOND)) + delta
}
