/** What a provider says of somebody: nothing of it is believed beyond what is looked at here. */
export type Claims = Readonly<Record<string, unknown>>

/**
 * The texts at a path of nested claims (`realm_access.roles`); a claim whose whole name is the path goes
 * first, since names like `https://example.org/roles` have dots of their own. Numbers and objects are
 * nobody's role. Undefined: the claim is not there, or stands elsewhere (Azure, over 200 groups).
 */
export function valuesAt(claims: Claims, path: string): readonly string[] | undefined {
  if (isOverage(claims, path)) return undefined
  const value = path in claims ? claims[path] : walk(claims, path.split('.'))
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return undefined
  return value.filter((one) => typeof one === 'string')
}

function walk(claims: Claims, names: readonly string[]): unknown {
  let value: unknown = claims
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Claims)[name]
  }
  return value
}

/** Whether the provider left the claim out because it is too long (OpenID Connect Core §5.6.2). */
function isOverage(claims: Claims, path: string): boolean {
  const [root = ''] = path.split('.')
  const elsewhere = claims._claim_names
  const named = typeof elsewhere === 'object' && elsewhere !== null && root in elsewhere
  return named || (root === 'groups' && claims.hasgroups === true)
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

/** Words of `amr` (RFC 8176) that are something beside what somebody knows. */
const POSSESSION = new Set(['otp', 'hwk', 'swk', 'sc', 'fpt', 'face', 'iris', 'retina', 'vbm'])
const KNOWLEDGE = new Set(['pwd', 'pin', 'kba'])

/** Whether the provider says that it asked for two factors. A code by SMS alone is none. */
export function isMultiFactor(claims: Claims, trustedAcr: readonly string[]): boolean {
  const amr = valuesAt(claims, 'amr') ?? []
  const acr = textAt(claims, 'acr')
  return (
    (acr !== undefined && trustedAcr.includes(acr)) ||
    amr.includes('mfa') ||
    (amr.some((word) => POSSESSION.has(word)) && amr.some((word) => KNOWLEDGE.has(word)))
  )
}
