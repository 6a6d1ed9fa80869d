import type { AuthMethod } from './auth-methods.ts'
import type { Permission } from './permissions.ts'

/** Roles of `MIMIR_RBAC_CONFIG`, in addition to the built-in ones. */
export interface RoleTable {
  /** Where the claims of a token name roles, for example `realm_access.roles`. */
  readonly claimPath: string | undefined
  /** The role of callers whose claims name none. */
  readonly defaultRole: string | undefined
  readonly roles: ReadonlyMap<string, ReadonlySet<Permission>>
}

export const NO_ROLES: RoleTable = {
  claimPath: undefined,
  defaultRole: undefined,
  roles: new Map(),
}

/** Access settings that can change while the server runs. */
export interface AccessRules {
  readonly methods: ReadonlySet<AuthMethod>
  readonly defaultMethod: AuthMethod | undefined
  readonly roleTable: RoleTable
}

export interface Permissions {
  has(permission: Permission): boolean
}

export interface AccessControl {
  /** If off, a caller without a credential is the server's first administrator. Fixed at startup. */
  readonly securityEnabled: boolean
  rules(): AccessRules
  /** Replaces all rules atomically: no call sees a mix of old and new. */
  replace(next: AccessRules): void
  /** What the named roles permit; looked up at each call, so that a changed table applies at once. */
  grantsOf(roles: readonly string[]): Permissions
}

export function createAccessControl(securityEnabled: boolean, first: AccessRules): AccessControl {
  let rules = first
  return {
    securityEnabled,
    rules: () => rules,
    replace(next) {
      rules = next
    },
    grantsOf: (roles) => ({
      has: (permission) =>
        roles.some((role) => rules.roleTable.roles.get(role)?.has(permission) ?? false),
    }),
  }
}

/**
 * Returns the roles that the claims name, or the default role if they name none. A claim of another
 * type, or one that the issuer left out for its length, grants no role.
 */
export function rolesOfClaims({ claimPath, defaultRole }: RoleTable, claims: object): string[] {
  if (claimPath === undefined || isLeftOut(claims, claimPath)) return []
  const named = claimAt(claims, claimPath)
  if (named === undefined || named === '' || (Array.isArray(named) && named.length === 0)) {
    return defaultRole === undefined ? [] : [defaultRole]
  }
  const names = Array.isArray(named) ? named : [named]
  return names.filter((name) => typeof name === 'string')
}

/** A token with too many groups names a place to fetch them from instead (OpenID Connect Core §5.6.2). */
export function isLeftOut(claims: object, path: string): boolean {
  const elsewhere = claimAt(claims, '_claim_names')
  const [first = ''] = path.split('.')
  return typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, first)
}

/** A claim's own name may contain dots, as URLs do, so the whole path is tried as a name first. */
export function claimAt(claims: object, path: string): unknown {
  return Object.hasOwn(claims, path)
    ? (claims as Record<string, unknown>)[path]
    : path.split('.').reduce<unknown>(memberOf, claims)
}

function memberOf(value: unknown, name: string): unknown {
  const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
  return isObject ? (value as Record<string, unknown>)[name] : undefined
}
