import type { ClientState, LeafNode } from 'ts-mls'
import { type Bytes, equal, fromBase64 } from '../bytes.ts'
import { decodeKeyPackage } from '../mls/codec.ts'
import { didOf, leafWithKey, leavesOf } from '../mls/credential.ts'
import { endorserOf } from '../people/endorsement.ts'
import type { HandedOut } from './intent.ts'
import type { Place } from './place.ts'

/** A device that a commit brings into a group. */
export interface Newcomer {
  readonly leaf: LeafNode
  /** Whether a member adds it; otherwise it joins by an external commit. */
  readonly isAdded: boolean
}

/**
 * Whether anything besides the server confirms that a device belongs to the person whose DID it bears.
 * If that person's devices in the group are endorsed, the same identity key must endorse it. Otherwise
 * the member who adds it vouches for it. Nobody vouches for a device that joins by an external commit,
 * unless it was in the group before.
 */
export async function isVouchedFor(
  state: ClientState,
  { leaf, isAdded }: Newcomer,
): Promise<boolean> {
  const did = didOf(leaf) ?? ''
  const former = leafWithKey(state.ratchetTree, leaf.signaturePublicKey)
  if (former?.did === did) return true
  const known = await endorsersOf(state, did)
  if (known.length === 0) return isAdded
  const endorser = await endorserOf(leaf)
  return endorser !== undefined && known.some((each) => equal(each, endorser))
}

/** The packages of devices that nobody known vouches for and that `acceptJoiner` does not allow. */
export async function unknownAmong(
  { acceptJoiner }: Place,
  convoId: string,
  state: ClientState,
  packages: readonly HandedOut[],
): Promise<HandedOut[]> {
  const unknown: HandedOut[] = []
  for (const each of packages) {
    const { leafNode: leaf } = decodeKeyPackage(fromBase64(each.keyPackage))
    const isKnown = await isVouchedFor(state, { leaf, isAdded: true })
    if (!isKnown && !acceptJoiner(each.did, convoId)) unknown.push(each)
  }
  return unknown
}

/** The identity keys that endorse a person's devices in a group. */
async function endorsersOf(state: ClientState, did: string): Promise<Bytes[]> {
  const own = leavesOf(state.ratchetTree).filter((leaf) => leaf.did === did)
  const endorsers = await Promise.all(own.map(({ node }) => endorserOf(node)))
  return endorsers.filter((each) => each !== undefined)
}
