import { AppError } from '../../platform/errors.ts'
import { type Actor, mayUse } from '../../policy/actor.ts'
import { expandPermission } from '../../policy/permission-names.ts'
import { PERMISSIONS, type Permission } from '../../policy/permissions.ts'
import { keyErrors } from './errors.ts'

/** Never granted implicitly: these reach other users' accounts, or the server itself. */
const ONLY_BY_NAME: ReadonlySet<Permission> = new Set<Permission>([
  'mcp:admin',
  'users:write',
  'keys:write',
  'privacy:any',
  'retention:run',
  'tenants:manage',
  'admin:config',
])

/**
 * The scopes of a new key: those requested, which both its creator and its owner must hold. A wildcard
 * (`messages:*`, `*`) stands for those of its scopes that may be granted; without any names the key gets
 * all that may be granted, except ONLY_BY_NAME. Throws `scopes_too_wide` with the scopes in excess.
 */
export function scopesFor(
  maker: Actor,
  ownerMay: (permission: Permission) => boolean,
  names: readonly string[] | undefined,
): Permission[] {
  const mayBeGiven = (permission: Permission) => mayUse(maker, permission) && ownerMay(permission)
  if (names === undefined) {
    return PERMISSIONS.filter((one) => mayBeGiven(one) && !ONLY_BY_NAME.has(one))
  }
  const wanted = new Set<Permission>()
  const refused: string[] = []
  for (const name of names) {
    const permissions = expandPermission(name) ?? []
    const given = permissions.filter(mayBeGiven)
    if (given.length === 0) refused.push(name)
    for (const permission of given) wanted.add(permission)
  }
  if (refused.length > 0) throw new AppError(keyErrors.scopesTooWide, { scopes: refused })
  return PERMISSIONS.filter((permission) => wanted.has(permission))
}
