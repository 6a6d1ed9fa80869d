import { createHash } from 'node:crypto'
import type { Hash, Signature } from 'ts-mls'

/** The allowed suites by number (RFC 9420 §17.1; the X-Wing hybrid uses the number of ts-mls). */
const SUITES = new Map([
  [1, 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'],
  [2, 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256'],
  [3, 'MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519'],
  [83, 'MLS_256_XWING_AES256GCM_SHA512_Ed25519'],
])

const NUMBERS = new Map([...SUITES].map(([id, name]) => [name, id]))

export const CIPHER_SUITES: ReadonlySet<string> = new Set(SUITES.values())

/** The name of a suite; for one that is not allowed, its number as text. */
export function nameOfSuite(id: number): string {
  return SUITES.get(id) ?? String(id)
}

/** The reverse; 0, which is not a suite, for an unknown name. */
export function numberOfSuite(name: string): number {
  return NUMBERS.get(name) ?? 0
}

/** The parts of a suite that reading needs. */
export interface Suite {
  readonly hash: Hash
  readonly signature: () => Promise<Signature>
}

let loaded: ReturnType<typeof load> | undefined

/** The ts-mls cryptography that reading needs, loaded on first use. */
export function loadMls(): ReturnType<typeof load> {
  loaded ??= load()
  return loaded
}

async function load() {
  const [suites, hashes, labels, signatures] = await Promise.all([
    import('ts-mls/crypto/ciphersuite.js'),
    import('ts-mls/crypto/hash.js'),
    import('ts-mls/crypto/signature.js'),
    import('ts-mls/crypto/implementation/default/makeNobleSignatureImpl.js'),
  ])
  return {
    refhash: hashes.refhash,
    verifyWithLabel: labels.verifyWithLabel,
    /** Returns undefined for a suite that is not allowed. */
    suiteNamed(name: string): Suite | undefined {
      if (!CIPHER_SUITES.has(name)) return undefined
      const { hash, signature } = suites.getCiphersuiteFromName(
        name as keyof typeof suites.ciphersuites,
      )
      return {
        hash: hashNamed(hash),
        signature: () => signatures.makeNobleSignatureImpl(signature),
      }
    },
  }
}

/** Hashes synchronously, which avoids a turn of the event loop for each of hundreds of leaves. */
function hashNamed(hash: string): Hash {
  const name = hash.replace('-', '').toLowerCase()
  return {
    digest: async (data) => createHash(name).update(data).digest(),
    mac: () => Promise.reject(new Error('reading makes no MAC')),
    verifyMac: () => Promise.reject(new Error('reading checks no MAC')),
  }
}
