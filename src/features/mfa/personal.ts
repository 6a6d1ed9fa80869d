import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import {
  deleteAttempts,
  deletePasskeys,
  deleteTotp,
  findTotp,
  listPasskeys,
  replaceRecoveryCodes,
} from './store.ts'

export const factorData: PersonalData<Ctx> = {
  // Challenges live for minutes and refer to a user only by id.
  tables: ['passkeys', 'passkey_challenges', 'totp_secrets', 'recovery_codes', 'factor_attempts'],
  async *collect(ctx, { userId }) {
    const passkeys = await listPasskeys(ctx.db.read, userId)
    yield* partOf(
      'passkeys.json',
      passkeys.map(({ id, name, created_at, last_used_at }) => {
        return { id, name, created_at, last_used_at }
      }),
    )
    const totp = await findTotp(ctx.db.read, userId)
    yield* partOf('authenticator.json', totp ? [{ created_at: totp.created_at }] : [])
  },
  async erase(_ctx, tx, { userId }) {
    await replaceRecoveryCodes(tx, userId, [])
    await deleteAttempts(tx, userId)
    const totp = (await deleteTotp(tx, userId)) ? 1 : 0
    return totp + (await deletePasskeys(tx, userId))
  },
}
