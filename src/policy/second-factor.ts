import type { Role } from './permissions.ts'

/**
 * Whether the role is one of those that need a second factor, and none was shown. Asked at every call, so that
 * nobody acts by a sign-in from before they rose to the role, or from before the settings named it.
 */
export function lacksFactor(
  { requiredRoles }: { readonly requiredRoles: readonly string[] },
  role: Role,
  isShown: boolean,
): boolean {
  return !isShown && requiredRoles.includes(role)
}

/** Words of `amr` (RFC 8176) that are something beside what somebody knows. */
const POSSESSION = new Set(['otp', 'hwk', 'swk', 'sc', 'fpt', 'face', 'iris', 'retina', 'vbm'])
const KNOWLEDGE = new Set(['pwd', 'pin', 'kba'])

/** Whether a provider's token says that it asked for two factors. A code by SMS alone is none. */
export function isMultiFactor(
  claims: Readonly<Record<string, unknown>>,
  trustedAcr: readonly string[],
): boolean {
  const amr = new Set([claims.amr].flat())
  const has = (words: ReadonlySet<string>) => [...words].some((word) => amr.has(word))
  const isTrusted = typeof claims.acr === 'string' && trustedAcr.includes(claims.acr)
  return isTrusted || amr.has('mfa') || (has(POSSESSION) && has(KNOWLEDGE))
}
