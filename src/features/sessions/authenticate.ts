import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { Origin, UserActor } from '../../policy/actor.ts'
import { verifyAccessToken } from './access-token.ts'
import { type CallerRow, findCaller } from './store.ts'

/**
 * Who an access token belongs to. The account's state and the session are looked up at every call, so
 * that a suspension or a revocation counts at once and not only when the token runs out.
 */
export async function authenticateToken(
  ctx: Pick<Ctx, 'db' | 'keyring' | 'config' | 'clock'>,
  token: string,
  origin: Origin,
): Promise<UserActor> {
  const { userId, sessionId } = await verifyAccessToken(ctx, token)
  const caller = await findCaller(ctx.db.read, userId, sessionId)
  if (!caller || !mayAct(caller, sessionId)) throw new AppError(commonErrors.unauthorized)
  return {
    kind: 'user',
    tenantId: caller.tenant_id,
    userId,
    username: caller.username,
    role: caller.role,
    ...(sessionId ? { sessionId } : {}),
    ...(caller.sso_roles === null ? {} : { claimedRoles: JSON.parse(caller.sso_roles) }),
    origin,
  }
}

/** Whether the actor's right to be connected still stands; asked again once a connection is registered. */
export async function isStillActive(ctx: Pick<Ctx, 'db'>, actor: UserActor): Promise<boolean> {
  const caller = await findCaller(ctx.db.read, actor.userId, actor.sessionId)
  return caller !== undefined && mayAct(caller, actor.sessionId)
}

function mayAct(caller: CallerRow, sessionId: string | undefined): boolean {
  if (caller.status !== 'Active') return false
  return !sessionId || (caller.session_found !== null && caller.session_revoked_at === null)
}
