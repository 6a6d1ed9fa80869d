import { createHash } from 'node:crypto'
import type { Ciphersuite, Hash, Signature } from 'ts-mls'

export type { Hash, MLSMessage, Proposal } from 'ts-mls'

/** The suites that groups here may have (RFC 9420 §17.1, and the X-Wing hybrid), by their names. */
export const CIPHER_SUITES: ReadonlySet<string> = new Set([
  'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519',
  'MLS_128_DHKEMP256_AES128GCM_SHA256_P256',
  'MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519',
  'MLS_256_XWING_AES256GCM_SHA512_Ed25519',
])

let loaded: ReturnType<typeof load> | undefined

/** The parts of ts-mls that reading needs, loaded at the first use. */
export function loadMls(): ReturnType<typeof load> {
  loaded ??= load()
  return loaded
}

async function load() {
  const [index, keyPackage, leafNode, groupInfo, authenticated, signatures] = await Promise.all([
    import('ts-mls'),
    import('ts-mls/keyPackage.js'),
    import('ts-mls/leafNode.js'),
    import('ts-mls/groupInfo.js'),
    import('ts-mls/authenticatedContent.js'),
    import('ts-mls/crypto/implementation/default/makeNobleSignatureImpl.js'),
  ])
  const { getCiphersuiteFromName, ciphersuites } = index
  return {
    decodeMlsMessage: index.decodeMlsMessage,
    encodeMlsMessage: index.encodeMlsMessage,
    decodeKeyPackage: keyPackage.decodeKeyPackage,
    verifyKeyPackage: keyPackage.verifyKeyPackage,
    makeKeyPackageRef: keyPackage.makeKeyPackageRef,
    verifyLeafNodeSignatureKeyPackage: leafNode.verifyLeafNodeSignatureKeyPackage,
    decodeGroupInfo: groupInfo.decodeGroupInfo,
    ratchetTreeFromExtension: groupInfo.ratchetTreeFromExtension,
    verifyGroupInfoSignature: groupInfo.verifyGroupInfoSignature,
    makeProposalRef: authenticated.makeProposalRef,
    /** What the suite is made of, if groups here may have it. */
    suiteNamed: (name: string): Ciphersuite | undefined =>
      CIPHER_SUITES.has(name)
        ? getCiphersuiteFromName(name as keyof typeof ciphersuites)
        : undefined,
    signatureOf: (suite: Ciphersuite): Promise<Signature> =>
      signatures.makeNobleSignatureImpl(suite.signature),
    hashOf,
  }
}

/** The suite's hash without a turn of the event loop for every one of hundreds of leaves. */
function hashOf({ hash }: Ciphersuite): Hash {
  const name = hash.replace('-', '').toLowerCase()
  return {
    digest: async (data) => createHash(name).update(data).digest(),
    mac: () => Promise.reject(new Error('reading makes no MAC')),
    verifyMac: () => Promise.reject(new Error('reading checks no MAC')),
  }
}
