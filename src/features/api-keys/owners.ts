import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { type Permission, permissionsOf } from '../../policy/permissions.ts'
import { findAccount, findAccountById, insertUser, requireAccount } from '../accounts/access.ts'
import { newUser } from '../accounts/service.ts'
import { listGrantedRoles } from '../roles/access.ts'
import { managesAllKeys } from './access.ts'
import { keyErrors } from './errors.ts'

type Needs = Pick<Ctx, 'clock' | 'ids' | 'access'>

/** Who shall own a key; `user` is for the operator alone, whom the schema of REST keeps it from. */
export interface WantedOwner {
  readonly service?: string | undefined
  readonly user?: string | undefined
}

/** The account that shall own a key: the named service, made if there is none, or the caller. */
export async function findOwner(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  wanted: WantedOwner,
): Promise<{ owner: UserRow; isNew: boolean }> {
  const isOwn = wanted.service === undefined && wanted.user === undefined
  if (!isOwn && !managesAllKeys(actor)) throw new AppError(keyErrors.notYours)
  if (wanted.service !== undefined) return findService(ctx, tx, actor.tenantId, wanted.service)
  const owner =
    wanted.user !== undefined
      ? await requireAccount(tx, actor.tenantId, wanted.user)
      : await findAccountById(tx, actor.tenantId, requireUser(actor).userId)
  if (owner?.status !== 'Active') throw new AppError(keyErrors.ownerNotActive)
  return { owner, isNew: false }
}

/**
 * A service identity: an account without address and password, which keys alone open. Its username is
 * made of the name, so that it can be named and be a member like anybody.
 */
export async function findService(
  ctx: Needs,
  tx: Tx,
  tenantId: string,
  name: string,
): Promise<{ owner: UserRow; isNew: boolean }> {
  const username = usernameOf(name)
  const found = await findAccount(tx, tenantId, username)
  if (found) {
    if (found.role !== 'service') throw new AppError(keyErrors.nameTaken)
    if (found.status !== 'Active') throw new AppError(keyErrors.ownerNotActive)
    return { owner: found, isNew: false }
  }
  const owner: UserRow = {
    ...newUser(ctx, {
      tenantId,
      username,
      email: null,
      phone: null,
      passwordHash: null,
      status: 'Active',
      role: 'service',
    }),
    ...(name === username ? {} : { display_name: name }),
  }
  await insertUser(tx, owner)
  return { owner, isNew: true }
}

function usernameOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .slice(0, 50)
    .padEnd(3, '_')
}

/** What the owner's roles permit at this moment. */
export async function permissionsOfOwner(
  ctx: Pick<Ctx, 'access'>,
  db: Db,
  owner: Pick<UserRow, 'id' | 'role'>,
): Promise<(permission: Permission) => boolean> {
  const grants = ctx.access.grantsOf(await listGrantedRoles(db, owner.id))
  const own = permissionsOf(owner.role)
  return (permission) => own.has(permission) || grants.has(permission)
}
