import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { open } from '../../platform/secret-box.ts'
import type { UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { endSessions } from './end-sessions.ts'
import { findSsoSession, listSsoSessions } from './store-sign-in.ts'

/** Ends the caller's own session and its connections. */
export async function endSession(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus'>,
  actor: UserActor,
): Promise<void> {
  const { userId, sessionId } = actor
  if (!sessionId) return
  await ctx.db.transaction(async (tx) => {
    const one = { kind: 'one', userId, id: sessionId } as const
    const ended = await endSessions(ctx, tx, one, 'logout', 'signed_out')
    if (ended.length === 0) return
    await recordAudit(ctx, tx, actor, {
      type: 'session.ended',
      target: { type: 'session', id: sessionId },
      details: { userId },
    })
  })
}

export interface LogoutHint {
  readonly provider: string
  readonly issuer: string
  readonly idToken: string
}

/** The session's provider and its ID token; undefined if there is none, or its key is gone. */
export async function logoutHint(
  ctx: Pick<Ctx, 'db' | 'keyring'>,
  sessionId: string,
): Promise<LogoutHint | undefined> {
  const row = await findSsoSession(ctx.db.read, sessionId)
  const key = row && ctx.keyring.find('message', row.key_id)
  if (!row || !key) return undefined
  const idToken = open(key, row.sealed, `id-token:${sessionId}`)
  return { provider: row.provider, issuer: row.issuer, idToken }
}

/** Ends the sessions that a provider vouched for, in the caller's transaction; returns how many. */
export async function endSsoSessions(
  ctx: Pick<Ctx, 'clock' | 'bus'>,
  tx: Tx,
  issuer: string,
  by: { readonly subject?: string | undefined; readonly idpSession?: string | undefined },
): Promise<number> {
  const sessions = await listSsoSessions(tx, issuer, by)
  for (const { session_id: id, user_id: userId } of sessions) {
    await endSessions(ctx, tx, { kind: 'one', userId, id }, 'back_channel_logout', 'signed_out')
  }
  return sessions.length
}
