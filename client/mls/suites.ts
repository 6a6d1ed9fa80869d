import { type CiphersuiteImpl, getCiphersuiteFromName, getCiphersuiteImpl } from 'ts-mls'

/** Cipher suite 1 of RFC 9420 §17.1, which every implementation supports. */
export const CLASSICAL = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519' as const

/**
 * Uses the hybrid KEM X-Wing (X25519 and ML-KEM-768), so that traffic recorded today is safe from future
 * quantum computers. Signatures are Ed25519 in both suites, so a device needs only one key.
 */
export const HYBRID = 'MLS_256_XWING_AES256GCM_SHA512_Ed25519' as const

export const SUITES = [CLASSICAL, HYBRID] as const
export type SuiteName = (typeof SUITES)[number]

const loaded = new Map<SuiteName, Promise<CiphersuiteImpl>>()

/** The implementation of a suite, loaded once. */
export function suite(name: SuiteName): Promise<CiphersuiteImpl> {
  let implementation = loaded.get(name)
  if (!implementation) {
    implementation = getCiphersuiteImpl(getCiphersuiteFromName(name))
    loaded.set(name, implementation)
  }
  return implementation
}

export function isSuiteName(name: string): name is SuiteName {
  return (SUITES as readonly string[]).includes(name)
}
