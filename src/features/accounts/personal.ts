import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { toIso } from '../../platform/clock.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { releaseAvatar } from '../attachments/service.ts'
import { deleteEmailTokens, findAccountById, updateUser } from './store.ts'

export const accountData: PersonalData<Ctx> = {
  tables: ['users', 'email_tokens'],
  async *collect(ctx, { tenantId, userId }) {
    const user = await findAccountById(ctx.db.read, tenantId, userId)
    if (!user) return
    const { password_hash, ...account } = user
    yield* partOf('account.json', [{ ...account, has_password: password_hash !== null }])
  },
  /** The row stays, without a name, so that what others keep of the person still has a sender. */
  async erase(ctx, tx, { tenantId, userId }) {
    const user = await findAccountById(tx, tenantId, userId)
    const name = `erased_${sha256Hex(randomToken(16)).slice(0, 12)}`
    await updateUser(tx, userId, {
      username: name,
      username_key: name,
      email: null,
      phone: null,
      display_name: null,
      avatar_id: null,
      password_hash: null,
      did: null,
      status: 'Suspended',
      role: 'member',
      friend_key: randomToken(16),
      last_seen_at: null,
      updated_at: toIso(ctx.clock.now()),
    })
    if (user?.avatar_id) await releaseAvatar(tx, user.avatar_id)
    return 1 + (await deleteEmailTokens(tx, userId))
  },
}
