import type { Db } from '../../db/database.ts'
import { findTotp, listPasskeys } from './store.ts'

export { isTotpKeyUsed } from './store.ts'

/** The kinds of second factor that the account has, strongest first. */
export async function factorsOf(db: Db, userId: string): Promise<('passkey' | 'totp')[]> {
  const passkeys = await listPasskeys(db, userId)
  const totp = await findTotp(db, userId)
  return [
    ...(passkeys.length > 0 ? (['passkey'] as const) : []),
    ...(totp?.confirmed_at ? (['totp'] as const) : []),
  ]
}
