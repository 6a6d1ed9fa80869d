import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { isConflict } from '../../db/errors.ts'
import type { UserRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { randomToken } from '../../platform/tokens.ts'
import type { Actor } from '../../policy/actor.ts'
import {
  changeRole,
  countUsers,
  insertUser,
  listAccounts,
  moveStatus,
  requireAccount,
  requireAccountToChange,
  requireAnotherAdmin,
  setPassword,
} from '../accounts/access.ts'
import { accountErrors } from '../accounts/errors.ts'
import type { AccountStatus } from '../accounts/schema.ts'
import { confirmAddress, hashNewPassword, newUser } from '../accounts/service.ts'
import { recordAudit } from '../audit/service.ts'
import { reconnectAfterCommit } from '../roles/service.ts'
import { endAllSessions, type OpenSession, openSessionsOf } from '../sessions/service.ts'
import type { Account } from './schema.ts'
import { type AdminNeeds, approve, reject, suspend } from './service.ts'

/** An account named by username, e-mail or id. */
export interface Named {
  readonly user: string
}

function toAccount(row: UserRow): Account {
  return {
    id: row.id,
    username: row.username,
    email: row.email ?? '',
    phone: row.phone,
    status: row.status,
    role: row.role,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
  }
}

export async function getAccounts(
  ctx: Pick<Ctx, 'db'>,
  actor: Actor,
  input: { status?: AccountStatus | undefined },
): Promise<Account[]> {
  return (await listAccounts(ctx.db.read, actor.tenantId, input.status)).map(toAccount)
}

export async function getAccount(
  ctx: Pick<Ctx, 'db'>,
  actor: Actor,
  input: Named,
): Promise<Account> {
  return toAccount(await requireAccount(ctx.db.read, actor.tenantId, input.user))
}

/** One change of one account in one transaction; returns the account afterwards. */
async function change(
  ctx: AdminNeeds,
  actor: Actor,
  { user: name }: Named,
  work: (tx: Tx, user: UserRow) => Promise<void>,
): Promise<Account> {
  return ctx.db.transaction(async (tx) => {
    const user = await requireAccountToChange(tx, actor, name)
    await work(tx, user)
    return toAccount(await requireAccount(tx, actor.tenantId, user.id))
  })
}

export function approveAccount(ctx: AdminNeeds, actor: Actor, input: Named): Promise<Account> {
  return change(ctx, actor, input, (tx, user) => approve(ctx, tx, actor, user))
}

/** Confirms an address whose e-mail did not arrive: the account then waits for approval. */
export function confirmAccountEmail(
  ctx: AdminNeeds & Pick<Ctx, 'log'>,
  actor: Actor,
  input: Named,
): Promise<Account> {
  return change(ctx, actor, input, (tx, user) => confirmAddress(ctx, tx, actor, user))
}

/** Approves all pending accounts and returns them. */
export async function approveAll(ctx: AdminNeeds, actor: Actor): Promise<Account[]> {
  return ctx.db.transaction(async (tx) => {
    const waiting = await listAccounts(tx, actor.tenantId, 'PendingAdmin')
    for (const user of waiting) await approve(ctx, tx, actor, user)
    return waiting.map((user) => toAccount({ ...user, status: 'Active' }))
  })
}

export function rejectAccount(ctx: AdminNeeds, actor: Actor, input: Named): Promise<Account> {
  return change(ctx, actor, input, (tx, user) => reject(ctx, tx, actor, user))
}

export function suspendAccount(
  ctx: AdminNeeds,
  actor: Actor,
  input: Named & { reason?: string | undefined },
): Promise<Account> {
  return change(ctx, actor, input, (tx, user) => suspend(ctx, tx, actor, user, input.reason))
}

export function reinstateAccount(ctx: AdminNeeds, actor: Actor, input: Named): Promise<Account> {
  return change(ctx, actor, input, async (tx, user) => {
    const now = toIso(ctx.clock.now())
    if (!(await moveStatus(tx, user.id, ['Suspended'], 'Active', now))) {
      throw new AppError(accountErrors.notSuspended)
    }
    await recordAudit(ctx, tx, actor, {
      type: 'account.reinstated',
      target: { type: 'user', id: user.id },
    })
  })
}

/** Makes a user an administrator, a member or a guest. */
export function setAccountRole(
  ctx: AdminNeeds,
  actor: Actor,
  input: Named & { role: 'admin' | 'member' | 'guest' },
): Promise<Account> {
  return change(ctx, actor, input, async (tx, user) => {
    // The owner is already an administrator, with more rights than one.
    if (input.role === user.role || (input.role === 'admin' && user.role === 'owner')) return
    if (user.role === 'service') throw new AppError(accountErrors.isService)
    if (input.role !== 'admin') await requireAnotherAdmin(tx, user)
    await changeRole(tx, user.id, input.role, toIso(ctx.clock.now()))
    await recordAudit(ctx, tx, actor, {
      type: 'account.role_changed',
      target: { type: 'user', id: user.id },
      details: { from: user.role, to: input.role },
    })
    reconnectAfterCommit(ctx, tx, user.id)
  })
}

/** Sets the given password, or a random one that only this response contains; every session ends. */
export async function resetAccountPassword(
  ctx: AdminNeeds & Pick<Ctx, 'passwords' | 'config'>,
  actor: Actor,
  input: Named & { password?: string | undefined },
): Promise<{ account: Account; password?: string }> {
  const password = input.password ?? randomToken(12)
  const hash = await hashNewPassword(ctx, password)
  const account = await change(ctx, actor, input, async (tx, user) => {
    if (user.role === 'service') throw new AppError(accountErrors.serviceHasNoPassword)
    await setPassword(tx, user.id, hash, toIso(ctx.clock.now()))
    await endAllSessions(ctx, tx, user.id, 'password_reset')
    await recordAudit(ctx, tx, actor, {
      type: 'account.password_reset',
      target: { type: 'user', id: user.id },
    })
  })
  return input.password === undefined ? { account, password } : { account }
}

export async function getAccountSessions(
  ctx: Pick<Ctx, 'db' | 'clock' | 'presence'>,
  actor: Actor,
  input: Named,
): Promise<OpenSession[]> {
  const user = await requireAccount(ctx.db.read, actor.tenantId, input.user)
  return openSessionsOf(ctx, user.id)
}

export async function revokeAccountSessions(
  ctx: AdminNeeds,
  actor: Actor,
  input: Named,
): Promise<{ revoked: number }> {
  return ctx.db.transaction(async (tx) => {
    const user = await requireAccountToChange(tx, actor, input.user)
    const revoked = await endAllSessions(ctx, tx, user.id, 'revoked_by_admin')
    await recordAudit(ctx, tx, actor, {
      type: 'session.revoked',
      target: { type: 'user', id: user.id },
      details: { sessionsEnded: revoked },
    })
    return { revoked }
  })
}

/** Creates the first administrator, who owns the server; refuses if any account exists. */
export async function createFirstAdmin(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'passwords' | 'config'>,
  actor: Actor,
  input: { username: string; email: string; password: string },
): Promise<Account> {
  const user = newUser(ctx, {
    tenantId: actor.tenantId,
    username: input.username,
    email: input.email,
    phone: null,
    passwordHash: await hashNewPassword(ctx, input.password),
    status: 'Active',
    role: 'owner',
  })
  try {
    await ctx.db.transaction(async (tx) => {
      if ((await countUsers(tx)) > 0) throw new AppError(accountErrors.notEmpty)
      await insertUser(tx, user)
      await recordAudit(ctx, tx, actor, {
        type: 'account.registered',
        target: { type: 'user', id: user.id },
        details: { role: 'owner' },
      })
    })
  } catch (error) {
    if (isConflict(error)) throw new AppError(accountErrors.notEmpty)
    throw error
  }
  return toAccount(user)
}
