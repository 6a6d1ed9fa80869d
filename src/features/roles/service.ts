import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { disconnectAfterCommit } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { requireAccount } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { roleErrors } from './errors.ts'
import type { AccountRoles } from './schema.ts'
import { deleteGrant, insertGrant, listGrantedRoles } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'access'>

export interface RoleOf {
  readonly user: string
  readonly role: string
}

/** Grants an account a role of `MIMIR_RBAC_CONFIG` in addition to its own. */
export function grantRole(ctx: Needs, actor: Actor, input: RoleOf): Promise<AccountRoles> {
  return change(ctx, actor, input, async (tx, user) => {
    if (!ctx.access.rules().roleTable.roles.has(input.role)) {
      throw new AppError(roleErrors.unknownRole)
    }
    const isNew = await insertGrant(tx, {
      user_id: user.id,
      role: input.role,
      tenant_id: user.tenant_id,
      granted_by: actor.kind === 'user' ? actor.userId : null,
      granted_at: toIso(ctx.clock.now()),
    })
    if (!isNew) throw new AppError(roleErrors.alreadyGranted)
    return 'role.granted'
  })
}

/** Revokes it, even if the role file no longer contains the role. */
export function revokeRole(ctx: Needs, actor: Actor, input: RoleOf): Promise<AccountRoles> {
  return change(ctx, actor, input, async (tx, user) => {
    if (!(await deleteGrant(tx, user.id, input.role))) throw new AppError(roleErrors.notGranted)
    return 'role.revoked'
  })
}

export async function getRoles(
  ctx: Pick<Ctx, 'db'>,
  actor: Actor,
  input: { readonly user: string },
): Promise<AccountRoles> {
  const user = await requireAccount(ctx.db.read, actor.tenantId, input.user)
  const granted = await listGrantedRoles(ctx.db.read, user.id)
  return { userId: user.id, username: user.username, role: user.role, granted }
}

async function change(
  ctx: Needs,
  actor: Actor,
  { user: name, role }: RoleOf,
  work: (tx: Tx, user: UserRow) => Promise<'role.granted' | 'role.revoked'>,
): Promise<AccountRoles> {
  return ctx.db.transaction(async (tx) => {
    const user = await requireAccount(tx, actor.tenantId, name)
    const type = await work(tx, user)
    const target = { type: 'user', id: user.id }
    await recordAudit(ctx, tx, actor, { type, target, details: { role } })
    reconnectAfterCommit(ctx, tx, user.id)
    const granted = await listGrantedRoles(tx, user.id)
    return { userId: user.id, username: user.username, role: user.role, granted }
  })
}

/** A connection's permissions are those from when it was opened, so clients must reconnect. */
export function reconnectAfterCommit(ctx: Pick<Ctx, 'bus'>, tx: Tx, userId: string): void {
  disconnectAfterCommit(ctx, tx, { userId, reason: 'role_changed', mayReturn: true })
}
