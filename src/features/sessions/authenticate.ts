import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { Origin, UserActor } from '../../policy/actor.ts'
import { lacksFactor } from '../../policy/second-factor.ts'
import { verifyAccessToken } from './access-token.ts'
import { type CallerRow, findCaller } from './store.ts'

/**
 * Returns the user an access token belongs to. The account and the session are read on every call, so that
 * a suspension or revocation takes effect at once and not only when the token expires.
 */
export async function authenticateToken(
  ctx: Pick<Ctx, 'db' | 'keyring' | 'config' | 'clock'>,
  token: string,
  origin: Origin,
): Promise<UserActor> {
  return actorOf(ctx, await verifyAccessToken(ctx, token), origin)
}

/** What limits a caller besides the account and the session. */
type Bounds = Pick<UserActor, 'keyId' | 'credential' | 'scopes' | 'validUntil'>

/**
 * The same for the owner of a single-use ticket, which grants no more than the
 * credential it was bought with.
 */
export async function authenticateTicket(
  ctx: Pick<Ctx, 'db' | 'config'>,
  { userId, sessionId, ...bounds }: { userId: string; sessionId: string | undefined } & Bounds,
  origin: Origin,
): Promise<UserActor> {
  return { ...(await actorOf(ctx, { userId, sessionId }, origin)), ...bounds }
}

async function actorOf(
  ctx: Pick<Ctx, 'db' | 'config'>,
  { userId, sessionId }: { readonly userId: string; readonly sessionId: string | undefined },
  origin: Origin,
): Promise<UserActor> {
  const caller = await findCaller(ctx.db.read, userId, sessionId)
  if (!caller || !mayAct(ctx, caller, sessionId)) throw new AppError(commonErrors.unauthorized)
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

/** Whether the actor may still be connected; checked again once a connection is registered. */
export async function isStillActive(
  ctx: Pick<Ctx, 'db' | 'config'>,
  actor: UserActor,
): Promise<boolean> {
  const caller = await findCaller(ctx.db.read, actor.userId, actor.sessionId)
  return caller !== undefined && mayAct(ctx, caller, actor.sessionId)
}

function mayAct(
  { config }: Pick<Ctx, 'config'>,
  caller: CallerRow,
  sessionId: string | undefined,
): boolean {
  if (caller.status !== 'Active') return false
  if (lacksFactor(config.mfa, caller.role, caller.second_factor_at !== null)) return false
  return !sessionId || (caller.session_found !== null && caller.session_revoked_at === null)
}
