import type { Db, Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { parseId } from '../../platform/ids.ts'
import type { Actor } from '../../policy/actor.ts'
import { isAdminRole } from '../../policy/permissions.ts'
import { accountErrors } from './errors.ts'
import {
  closeEmailTokens,
  countOtherAdmins,
  findAccountById,
  findUserByLogin,
  lockAdmins,
  updateUser,
} from './store.ts'

/** What other features may read and write about accounts, inside their own transactions. */
export {
  countUsers,
  findAccountById,
  findFirstAdmin,
  findUserByLogin,
  hasAdminWithPassword,
  insertUser,
  listAccounts,
  listAdmins,
  listNames,
  listUsersByDid,
  listUsersById,
  lockActive,
  lockAdmins,
  lockUser,
  moveStatus,
} from './store.ts'

/** Finds a user by what an administrator enters: id, username or e-mail. Throws `user_not_found`. */
export async function requireAccount(db: Db, tenantId: string, name: string): Promise<UserRow> {
  const id = parseId(name)
  const user = id
    ? await findAccountById(db, tenantId, id)
    : await findUserByLogin(db, tenantId, name)
  if (!user) throw new AppError(accountErrors.userNotFound)
  return user
}

/**
 * Throws `owner_alone` unless the caller may change, close or reopen this account: only an owner, or the
 * operator at the command line, may do that to an owner's account.
 */
export function requireMayActOn(actor: Actor, user: Pick<UserRow, 'id' | 'role'>): void {
  if (actor.kind === 'operator' || user.role !== 'owner') return
  if (actor.kind === 'user' && actor.role === 'owner') return
  const audit = { reason: 'acts on an owner', targetType: 'user', targetId: user.id }
  throw new AppError(accountErrors.ownerAlone, {}, { audit })
}

/** Finds an account that an administrator wants to change. Throws `user_not_found` and `owner_alone`. */
export async function requireAccountToChange(db: Db, actor: Actor, name: string): Promise<UserRow> {
  const user = await requireAccount(db, actor.tenantId, name)
  requireMayActOn(actor, user)
  return user
}

/** Throws `last_admin` if nobody else could administer the server. */
export async function requireAnotherAdmin(tx: Tx, user: UserRow): Promise<void> {
  if (!isAdminRole(user.role) || user.status !== 'Active') return
  await lockAdmins(tx, user.tenant_id)
  if ((await countOtherAdmins(tx, user.tenant_id, user.id)) === 0) {
    throw new AppError(accountErrors.lastAdmin)
  }
}

/** Also invalidates the account's open links for a password reset or an address change. */
export async function setPassword(
  tx: Tx,
  userId: string,
  passwordHash: string,
  now: string,
): Promise<void> {
  await updateUser(tx, userId, { password_hash: passwordHash, updated_at: now })
  await closeEmailTokens(tx, userId, ['reset', 'change'], now)
}

export async function changeRole(
  tx: Tx,
  userId: string,
  role: UserRow['role'],
  now: string,
): Promise<void> {
  await updateUser(tx, userId, { role, updated_at: now })
}

export async function setLastSeen(tx: Tx, userId: string, at: string): Promise<void> {
  await updateUser(tx, userId, { last_seen_at: at })
}
