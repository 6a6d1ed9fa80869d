import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { disconnectAfterCommit } from '../../events/append.ts'
import { deleteSessionsOf, listAllSessions } from './store.ts'

export const sessionData: PersonalData<Ctx> = {
  tables: ['sessions', 'refresh_tokens', 'device_links', 'sso_sessions', 'sign_in_steps'],
  async *collect(ctx, { userId }) {
    yield* partOf('sessions.json', await listAllSessions(ctx.db.read, userId))
  },
  async erase(ctx, tx, { userId }) {
    disconnectAfterCommit(ctx, tx, { userId, reason: 'account_erased' })
    return deleteSessionsOf(tx, userId)
  },
}
