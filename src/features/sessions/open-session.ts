import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { SessionRow, UserRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import { isAdminRole } from '../../policy/permissions.ts'
import { holdActive } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { signAccessToken } from './access-token.ts'
import { sessionErrors } from './errors.ts'
import { sessionStarted } from './events.ts'
import { namesOf } from './list.ts'
import type { TokenPair } from './schema.ts'
import { insertRefreshToken, insertSession } from './store.ts'

export const REFRESH_LIFETIME = 30 * DAY

/** How the person proved who they are, and what they call the device. */
export interface SignIn {
  readonly deviceName?: string | null | undefined
  /** Runs first in the transaction: uses the proof up, or throws. */
  use?(tx: Tx): Promise<void>
  /** For the audit, beside the user. */
  readonly details?: Readonly<Record<string, string>>
}

/** Starts a session of an active account, from the device that calls. */
export async function openSession(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'bus'>,
  actor: Actor,
  user: UserRow,
  signIn: SignIn,
): Promise<TokenPair> {
  const now = ctx.clock.now()
  const sessionId = ctx.ids.next()
  const refreshToken = randomToken(32)
  const refreshExpiresAt = toIso(now + REFRESH_LIFETIME)
  const isAdmin = isAdminRole(user.role)
  const { id: userId, email, username } = user
  const access = await signAccessToken(ctx, { userId, email, username, isAdmin, sessionId })
  const session: SessionRow = {
    id: sessionId,
    tenant_id: user.tenant_id,
    user_id: user.id,
    ip: actor.origin.ip ?? null,
    user_agent: actor.origin.userAgent ?? null,
    name: signIn.deviceName ?? null,
    created_at: toIso(now),
    last_used_at: toIso(now),
    expires_at: refreshExpiresAt,
    revoked_at: null,
    revoked_reason: null,
  }
  const [name = ''] = await namesOf([session])
  await ctx.db.transaction(async (tx) => {
    await signIn.use?.(tx)
    // Hashing takes long: what changed meanwhile ended the sessions without this one.
    const unchanged = await holdActive(tx, user.id, user.password_hash)
    if (!unchanged) throw new AppError(sessionErrors.invalidCredentials)
    await insertSession(tx, session)
    await insertRefreshToken(tx, {
      token_hash: sha256Hex(refreshToken),
      tenant_id: user.tenant_id,
      session_id: sessionId,
      created_at: toIso(now),
      expires_at: refreshExpiresAt,
      rotated_at: null,
      successor_hash: null,
    })
    const started = { sessionId, name, createdAt: session.created_at }
    await appendEvents(ctx, tx, [sessionStarted(user.tenant_id, user.id, started)])
    await recordAudit(ctx, tx, actor, {
      type: 'session.started',
      target: { type: 'session', id: sessionId },
      details: { userId: user.id, ...signIn.details },
    })
  })
  return {
    accessToken: access.token,
    accessExpiresAt: access.expiresAt,
    refreshToken,
    refreshExpiresAt,
    username,
    isAdmin,
  }
}
