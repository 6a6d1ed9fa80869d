import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { PendingChangeRow, UserRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { isAdminRole, type Permission, permissionsOf } from '../../policy/permissions.ts'
import { findAccountById, listAdmins } from '../accounts/access.ts'
import { openDm } from '../conversations/service.ts'
import { changeErrors } from './errors.ts'

/** A user who may approve, and in which conversation. */
export interface Approver {
  readonly userId: string
  readonly conversationId: string
}

/**
 * The administrator who owns the key; for a service's key, every administrator. Each is asked in their direct
 * conversation with the server.
 */
export async function findApprovers(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config'>,
  tx: Tx,
  me: UserActor,
  server: UserRow,
  permission: Permission,
): Promise<Approver[]> {
  const admins = (await listAdmins(tx, me.tenantId)).filter((one) => mayDecide(one, permission))
  const owner = admins.filter(({ id }) => id === me.userId)
  const asked = owner.length > 0 ? owner : admins
  if (asked.length === 0) throw new AppError(changeErrors.nobodyToAsk)
  const from = { tenantId: me.tenantId, userId: server.id }
  const approvers: Approver[] = []
  for (const { id: userId } of asked) {
    approvers.push({ userId, conversationId: await openDm(ctx, tx, from, userId) })
  }
  return approvers
}

/** The user who sent the answer, if they were asked there and may still decide. */
export async function findDecider(
  ctx: Pick<Ctx, 'db'>,
  change: PendingChangeRow,
  said: { readonly senderId: string; readonly conversationId: string },
  permission: Permission,
): Promise<UserRow | undefined> {
  const asked: Approver[] = JSON.parse(change.approvers)
  const isAsked = asked.some(
    ({ userId, conversationId }) =>
      userId === said.senderId && conversationId === said.conversationId,
  )
  if (!isAsked) return undefined
  const user = await findAccountById(ctx.db.read, change.tenant_id, said.senderId)
  return user && mayDecide(user, permission) ? user : undefined
}

function mayDecide({ status, role }: UserRow, permission: Permission): boolean {
  return status === 'Active' && isAdminRole(role) && permissionsOf(role).has(permission)
}
