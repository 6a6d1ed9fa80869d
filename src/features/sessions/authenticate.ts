import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { Account, CallerCredential, Origin, UserActor } from '../../policy/actor.ts'
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
  const { userId, sessionId } = await verifyAccessToken(ctx, token)
  const caller = await requireCaller(ctx, userId, sessionId)
  return {
    ...accountOf(caller, origin),
    credential: 'access-token',
    ...(sessionId ? { sessionId } : {}),
    ...(caller.sso_roles === null ? {} : { claimedRoles: JSON.parse(caller.sso_roles) }),
  }
}

/**
 * The same for the owner of a single-use ticket, which grants no more than what was presented for it.
 */
export async function authenticateTicket(
  ctx: Pick<Ctx, 'db' | 'config'>,
  { userId, presented }: { readonly userId: string; readonly presented: CallerCredential },
  origin: Origin,
): Promise<UserActor> {
  const caller = await requireCaller(ctx, userId, presented.sessionId)
  return { ...accountOf(caller, origin), ...presented }
}

async function requireCaller(
  ctx: Pick<Ctx, 'db' | 'config'>,
  userId: string,
  sessionId: string | undefined,
): Promise<CallerRow> {
  const caller = await findCaller(ctx.db.read, userId, sessionId)
  if (!caller || !mayAct(ctx, caller, sessionId)) throw new AppError(commonErrors.unauthorized)
  return caller
}

function accountOf({ id, tenant_id, username, role }: CallerRow, origin: Origin): Account {
  return { kind: 'user', tenantId: tenant_id, userId: id, username, role, origin }
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
