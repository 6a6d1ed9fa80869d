import { type CiphersuiteImpl, getCiphersuiteFromName, getCiphersuiteImpl } from 'ts-mls'

/** MLS cipher suite 1 of RFC 9420 §17.1: what every implementation has. */
export const CLASSICAL = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519' as const

/**
 * The same with the hybrid KEM X-Wing (X25519 and ML-KEM-768): what is recorded today stays closed
 * to a quantum computer of tomorrow. Signatures are Ed25519 in both, so a device has one key.
 */
export const HYBRID = 'MLS_256_XWING_AES256GCM_SHA512_Ed25519' as const

export const SUITES = [CLASSICAL, HYBRID] as const
export type SuiteName = (typeof SUITES)[number]

const loaded = new Map<SuiteName, Promise<CiphersuiteImpl>>()

/** The algorithms of a suite, loaded once. */
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
