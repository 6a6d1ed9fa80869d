import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import {
  findAccountById,
  listAccounts,
  moveStatus,
  requireAnotherAdmin,
  requireMayActOn,
} from '../accounts/access.ts'
import { accountErrors } from '../accounts/errors.ts'
import { tellApproved } from '../accounts/service.ts'
import { recordAudit } from '../audit/service.ts'
import { endAllSessions } from '../sessions/service.ts'
import type { Decide, PendingUser } from './schema.ts'

export type AdminNeeds = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'mailer'>

/** Accounts that wait for approval, longest first. */
export async function getPendingUsers(ctx: Pick<Ctx, 'db'>, actor: Actor): Promise<PendingUser[]> {
  const rows = await listAccounts(ctx.db.read, actor.tenantId, 'PendingAdmin')
  return rows.map((row) => ({
    id: row.id,
    username: row.username,
    email: row.email ?? '',
    phone: row.phone,
    createdAt: row.created_at,
  }))
}

/** Approves, rejects or suspends the account with the id. */
export async function decide(ctx: AdminNeeds, actor: Actor, input: Decide): Promise<void> {
  await ctx.db.transaction(async (tx) => {
    const user = await findAccountById(tx, actor.tenantId, input.id)
    if (!user) throw new AppError(commonErrors.notFound)
    const { decision } = input
    // Checked before the decision itself, as the contract requires; a rejection has its own check.
    const needsPending = decision !== 'suspend' && decision !== 'reject'
    if (needsPending && user.status !== 'PendingAdmin') {
      throw new AppError(accountErrors.userNotPending)
    }
    switch (decision) {
      case 'approve':
        return approve(ctx, tx, actor, user)
      case 'reject':
        return reject(ctx, tx, actor, user)
      case 'suspend':
        return suspend(ctx, tx, actor, user, input.reason ?? undefined)
      default:
        throw new AppError(accountErrors.invalidDecision)
    }
  })
}

export async function approve(ctx: AdminNeeds, tx: Tx, actor: Actor, user: UserRow): Promise<void> {
  requireMayActOn(actor, user)
  await move(ctx, tx, user, ['PendingAdmin'], 'Active')
  await tellApproved(ctx, tx, actor, user)
  await recordAudit(ctx, tx, actor, {
    type: 'account.approved',
    target: { type: 'user', id: user.id },
  })
}

export async function reject(ctx: AdminNeeds, tx: Tx, actor: Actor, user: UserRow): Promise<void> {
  requireMayActOn(actor, user)
  await move(ctx, tx, user, ['PendingEmail', 'PendingAdmin'], 'Suspended')
  await endAllSessions(ctx, tx, user.id, 'account_rejected')
  await recordAudit(ctx, tx, actor, {
    type: 'account.rejected',
    target: { type: 'user', id: user.id },
  })
}

/** Ends every session and closes every connection of the account, whatever its status was. */
export async function suspend(
  ctx: AdminNeeds,
  tx: Tx,
  actor: Actor,
  user: UserRow,
  reason: string | undefined,
): Promise<void> {
  requireMayActOn(actor, user)
  await requireAnotherAdmin(tx, user)
  await moveStatus(
    tx,
    user.id,
    ['PendingEmail', 'PendingAdmin', 'Active', 'Suspended'],
    'Suspended',
    toIso(ctx.clock.now()),
  )
  const ended = await endAllSessions(ctx, tx, user.id, 'account_suspended')
  await recordAudit(ctx, tx, actor, {
    type: 'account.suspended',
    target: { type: 'user', id: user.id },
    details: { sessionsEnded: ended },
    ...(reason ? { note: reason } : {}),
  })
}

async function move(
  ctx: AdminNeeds,
  tx: Tx,
  user: UserRow,
  from: UserRow['status'][],
  to: UserRow['status'],
): Promise<void> {
  const moved = await moveStatus(tx, user.id, from, to, toIso(ctx.clock.now()))
  if (!moved) throw new AppError(accountErrors.userNotPending)
}
