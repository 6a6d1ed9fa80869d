import type { Ctx } from '../../context.ts'
import type { SessionRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { nameDevices } from './device-name.ts'
import type { Session } from './schema.ts'
import { listSessions } from './store.ts'

/** A signed-in device, without telling whether it is the calling one. */
export type OpenSession = Omit<Session, 'current'>

/** A user's open sessions, last used first. */
export async function openSessionsOf(
  ctx: Pick<Ctx, 'db' | 'clock' | 'presence'>,
  userId: string,
): Promise<OpenSession[]> {
  const now = toIso(ctx.clock.now())
  const rows = await listSessions(ctx.db.read, userId, now)
  const names = await namesOf(rows)
  const sessions = rows.map((row, index) => {
    // A connection can outlast the token refreshes that otherwise update the last use.
    const isConnected = ctx.presence.isSessionOnline(row.id)
    return {
      id: row.id,
      name: names[index] as string,
      createdAt: row.created_at,
      lastUsedAt: isConnected ? now : row.last_used_at,
      expiresAt: row.expires_at,
      ip: row.ip,
      userAgent: row.user_agent,
    }
  })
  return sessions.sort((a, b) => b.lastUsedAt.localeCompare(a.lastUsedAt))
}

/** Names of sessions' devices: as given by the person or the app, else derived from their user agents. */
export async function namesOf(
  rows: readonly Pick<SessionRow, 'name' | 'user_agent'>[],
): Promise<string[]> {
  const told = await nameDevices(rows.map((row) => row.user_agent))
  return rows.map((row, index) => row.name ?? (told[index] as string))
}

/** The caller's signed-in devices, last used first, with the calling one marked. */
export async function getSessions(
  ctx: Pick<Ctx, 'db' | 'clock' | 'presence'>,
  actor: Actor,
): Promise<Session[]> {
  const { userId, sessionId } = requireUser(actor)
  const sessions = await openSessionsOf(ctx, userId)
  return sessions.map((session) => ({ ...session, current: session.id === sessionId }))
}
