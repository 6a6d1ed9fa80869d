import type { Db } from '../../db/database.ts'
import type { Session } from './schema.ts'
import { listSessions } from './store.ts'

export {
  findSession,
  renewProof,
} from './store.ts'

export { isSignInKeyUsed } from './store-sign-in.ts'

/** A signed-in device, without the word whether it is the one that asks. */
export type OpenSession = Omit<Session, 'current'>

/** A user's open sessions, last used first. */
export async function openSessionsOf(db: Db, userId: string, now: string): Promise<OpenSession[]> {
  const rows = await listSessions(db, userId, now)
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
    ip: row.ip,
    userAgent: row.user_agent,
  }))
}
