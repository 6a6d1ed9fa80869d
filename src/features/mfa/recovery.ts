import { randomInt } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import { replaceRecoveryCodes } from './store.ts'

const COUNT = 10
/** Crockford's base 32: no I, L, O or U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** 120 bits: from 112 on, storing a plain hash is enough (NIST SP 800-63B-4, look-up secrets). */
const LENGTH = 24
/** Earlier codes had 16 characters, 80 bits; they are valid until they are used or renewed. */
const LENGTHS = [16, LENGTH]

/** Replaces the recovery codes. The new ones are shown only this once: only hashes are stored. */
export async function renewRecoveryCodes(
  ctx: Pick<Ctx, 'clock'>,
  tx: Tx,
  user: { readonly userId: string; readonly tenantId: string },
): Promise<string[]> {
  const codes = Array.from({ length: COUNT }, makeCode)
  const created_at = toIso(ctx.clock.now())
  await replaceRecoveryCodes(
    tx,
    user.userId,
    codes.map((code) => ({
      code_hash: hashCode(user.userId, code),
      tenant_id: user.tenantId,
      user_id: user.userId,
      created_at,
      used_at: null,
    })),
  )
  return codes
}

/** The stored form of a code as typed: in any case, with or without dashes and spaces. */
export function hashCode(userId: string, typed: string): string {
  const code = typed
    .toUpperCase()
    .replaceAll(/[\s-]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1')
  return sha256Hex(`${userId}:${code}`)
}

/** Whether the text has the form of a recovery code rather than an authenticator's. */
export function isRecoveryCode(typed: string): boolean {
  return LENGTHS.includes(typed.replaceAll(/[\s-]/g, '').length)
}

/** Six groups of four. */
function makeCode(): string {
  const characters = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)])
  return (characters.join('').match(/.{4}/g) ?? []).join('-')
}
