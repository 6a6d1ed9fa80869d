import type { Capabilities, Credential, LeafNode, RatchetTree } from 'ts-mls'
import { equal, fromUtf8, utf8 } from '../bytes.ts'
import { ENDORSEMENT, LAST_RESORT } from './extensions.ts'
import { SUITES } from './suites.ts'

/** The credential of all of a person's devices: a BasicCredential with the DID (RFC 9420 §5.3). */
export function credentialOf(did: string): Credential {
  return { credentialType: 'basic', identity: utf8(did) }
}

/** The DID in a leaf's credential; undefined if it is not a BasicCredential in UTF-8. */
export function didOf(leaf: Pick<LeafNode, 'credential'>): string | undefined {
  if (leaf.credential.credentialType !== 'basic') return undefined
  try {
    return fromUtf8(leaf.credential.identity)
  } catch {
    return undefined
  }
}

/** The capabilities that this library's leaves announce (RFC 9420 §7.2). */
export function capabilities(): Capabilities {
  return {
    versions: ['mls10'],
    ciphersuites: [...SUITES],
    extensions: [LAST_RESORT, ENDORSEMENT],
    proposals: [],
    credentials: ['basic'],
  }
}

/** A leaf of the ratchet tree: one device in the group. */
export interface Leaf {
  readonly index: number
  readonly did: string
  readonly node: LeafNode
}

/** The non-blank leaves of a tree, which are the even nodes of the array (RFC 9420 §C). */
export function leavesOf(tree: RatchetTree): Leaf[] {
  return tree.flatMap((node, place) =>
    node?.nodeType === 'leaf'
      ? [{ index: place / 2, did: didOf(node.leaf) ?? '', node: node.leaf }]
      : [],
  )
}

export function leafAt(tree: RatchetTree, index: number): Leaf | undefined {
  const node = tree[2 * index]
  if (node?.nodeType !== 'leaf') return undefined
  return { index, did: didOf(node.leaf) ?? '', node: node.leaf }
}

/** Finds a device by its signature key, which identifies it whatever its leaf index. */
export function leafWithKey(tree: RatchetTree, key: Uint8Array): Leaf | undefined {
  return leavesOf(tree).find((leaf) => equal(leaf.node.signaturePublicKey, key))
}
