import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import type { Actor } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { listGrantedRoles } from '../roles/access.ts'
import type { AuthStatus } from './schema.ts'

/** Whether and as whom the caller is signed in, and the available methods. */
export async function getAuthStatus(
  ctx: Pick<Ctx, 'db' | 'access'>,
  actor: Actor,
): Promise<AuthStatus> {
  const { methods, defaultMethod, roleTable } = ctx.access.rules()
  const server = {
    securityEnabled: ctx.access.securityEnabled,
    methods: [...methods],
    ...(defaultMethod === undefined ? {} : { defaultMethod }),
  }
  if (actor.kind !== 'user') return { authenticated: false, ...server }
  const { userId: id, tenantId, username, role, claimedRoles = [], validUntil } = actor
  const account = await findAccountById(ctx.db.read, tenantId, id)
  const more = [...claimedRoles, ...(await listGrantedRoles(ctx.db.read, id))]
  const roles = new Set([role, ...more.filter((name) => roleTable.roles.has(name))])
  return {
    authenticated: true,
    ...server,
    user: { id, username, email: account?.email ?? '', roles: [...roles] },
    ...(validUntil === undefined ? {} : { expiresAt: toIso(validUntil) }),
  }
}
