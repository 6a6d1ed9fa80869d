import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import type { UserRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { type Permission, permissionsOf } from '../../policy/permissions.ts'
import { findAccountById, requireAccount } from '../accounts/access.ts'
import { findService } from '../accounts/service-accounts.ts'
import { listGrantedRoles } from '../roles/access.ts'
import { managesAllKeys } from './access.ts'
import { keyErrors } from './errors.ts'

type Needs = Pick<Ctx, 'clock' | 'ids' | 'access'>

/** The intended owner of a key; `user` is only for the operator: the REST schema excludes it. */
export interface WantedOwner {
  readonly service?: string | undefined
  readonly user?: string | undefined
}

/** The account that will own a key: the named service, created if there is none, or the caller. */
export async function findOwner(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  wanted: WantedOwner,
): Promise<{ owner: UserRow; isNew: boolean }> {
  const isOwn = wanted.service === undefined && wanted.user === undefined
  if (!isOwn && !managesAllKeys(actor)) throw new AppError(keyErrors.notYours)
  if (wanted.service !== undefined) {
    const { service, isNew } = await findService(ctx, tx, actor.tenantId, wanted.service)
    return { owner: requireActive(service), isNew }
  }
  const owner =
    wanted.user !== undefined
      ? await requireAccount(tx, actor.tenantId, wanted.user)
      : await findAccountById(tx, actor.tenantId, requireUser(actor).userId)
  return { owner: requireActive(owner), isNew: false }
}

function requireActive(owner: UserRow | undefined): UserRow {
  if (owner?.status !== 'Active') throw new AppError(keyErrors.ownerNotActive)
  return owner
}

/** What the owner's roles currently permit. */
export async function permissionsOfOwner(
  ctx: Pick<Ctx, 'access'>,
  db: Db,
  owner: Pick<UserRow, 'id' | 'role'>,
): Promise<(permission: Permission) => boolean> {
  const grants = ctx.access.grantsOf(await listGrantedRoles(db, owner.id))
  const own = permissionsOf(owner.role)
  return (permission) => own.has(permission) || grants.has(permission)
}
