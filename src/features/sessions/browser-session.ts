import type { Ctx } from '../../context.ts'
import { MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { Origin, UserActor } from '../../policy/actor.ts'
import { lacksFactor } from '../../policy/second-factor.ts'
import { touchSession } from './store.ts'
import { findBrowserCaller } from './store-sign-in.ts'

/** The shortest interval between two updates of a session's last use. */
const TOUCH_EVERY = MINUTE

type Needs = Pick<Ctx, 'db' | 'clock' | 'config'>

/** Returns the user a browser's cookie belongs to, or throws `unauthorized`. */
export async function authenticateBrowser(
  ctx: Needs,
  token: string,
  origin: Origin,
): Promise<UserActor> {
  const user = await findBrowserUser(ctx, token, origin)
  if (!user) throw new AppError(commonErrors.unauthorized)
  return user
}

/**
 * The same; undefined if the cookie is unknown, revoked, expired or idle for too long, if the account is not
 * active, or if its role needs a second factor that was not shown.
 */
export async function findBrowserUser(
  ctx: Needs,
  token: string,
  origin: Origin,
): Promise<UserActor | undefined> {
  const caller = await findBrowserCaller(ctx.db.read, sha256Hex(token))
  const now = ctx.clock.now()
  const idle = ctx.config.browserSession.idleSeconds * SECOND
  const stands =
    caller !== undefined &&
    caller.status === 'Active' &&
    caller.revoked_at === null &&
    !lacksFactor(ctx.config.mfa, caller.role, caller.second_factor_at !== null) &&
    Date.parse(caller.expires_at) > now &&
    Date.parse(caller.last_used_at) + idle > now
  if (!stands) return undefined
  if (Date.parse(caller.last_used_at) + Math.min(TOUCH_EVERY, idle / 4) < now) {
    await ctx.db.transaction((tx) =>
      touchSession(tx, caller.session_id, toIso(now), caller.expires_at),
    )
  }
  return {
    kind: 'user',
    tenantId: caller.tenant_id,
    userId: caller.id,
    username: caller.username,
    role: caller.role,
    sessionId: caller.session_id,
    credential: 'session-cookie',
    ...(caller.sso_roles === null ? {} : { claimedRoles: JSON.parse(caller.sso_roles) }),
    validUntil: Date.parse(caller.expires_at),
    origin,
  }
}
