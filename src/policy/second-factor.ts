import type { Role } from './permissions.ts'

/**
 * Whether the role requires a second factor and none was shown. Checked at every call, so that a sign-in
 * from before the caller got the role, or before the settings named it, does not suffice.
 */
export function lacksFactor(
  { requiredRoles }: { readonly requiredRoles: readonly string[] },
  role: Role,
  isShown: boolean,
): boolean {
  return !isShown && requiredRoles.includes(role)
}

/** Values of `amr` (RFC 8176) that mean possession or biometrics rather than knowledge. */
const POSSESSION = new Set(['otp', 'hwk', 'swk', 'sc', 'fpt', 'face', 'iris', 'retina', 'vbm'])
const KNOWLEDGE = new Set(['pwd', 'pin', 'kba'])

/** Whether a provider's token says that two factors were used. A code by SMS does not count. */
export function isMultiFactor(
  claims: Readonly<Record<string, unknown>>,
  trustedAcr: readonly string[],
): boolean {
  const amr = new Set([claims.amr].flat())
  const has = (words: ReadonlySet<string>) => [...words].some((word) => amr.has(word))
  const isTrusted = typeof claims.acr === 'string' && trustedAcr.includes(claims.acr)
  return isTrusted || amr.has('mfa') || (has(POSSESSION) && has(KNOWLEDGE))
}
