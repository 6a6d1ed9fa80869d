import { claimAt, isLeftOut } from '../../policy/access-control.ts'

/** What a provider claims about a user: nothing is trusted beyond what is checked here. */
export type Claims = Readonly<Record<string, unknown>>

/**
 * The strings at a path of nested claims (`realm_access.roles`); numbers and objects are ignored. Undefined:
 * the claim is missing, or was left out as too long (Azure, over 200 groups).
 */
export function valuesAt(claims: Claims, path: string): readonly string[] | undefined {
  const isTooLong = isLeftOut(claims, path) || (path === 'groups' && claims.hasgroups === true)
  const value = isTooLong ? undefined : claimAt(claims, path)
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined
}

export function textAt(claims: Claims, name: string): string | undefined {
  const value = claims[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The email address, if the provider says that it is verified. */
export function verifiedEmail(claims: Claims): string | undefined {
  const isVerified = claims.email_verified === true || claims.email_verified === 'true'
  return isVerified ? textAt(claims, 'email')?.toLowerCase() : undefined
}
