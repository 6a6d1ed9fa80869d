import { claimAt, isLeftOut } from '../../policy/access-control.ts'

/** What a provider says of somebody: nothing of it is believed beyond what is looked at here. */
export type Claims = Readonly<Record<string, unknown>>

/**
 * The texts at a path of nested claims (`realm_access.roles`). Numbers and objects are nobody's role.
 * Undefined: the claim is not there, or it is too long to be told (Azure, over 200 groups).
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

/** The address, if the provider says that it is the person's own. */
export function verifiedEmail(claims: Claims): string | undefined {
  const isVerified = claims.email_verified === true || claims.email_verified === 'true'
  return isVerified ? textAt(claims, 'email')?.toLowerCase() : undefined
}
