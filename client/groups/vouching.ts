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
  /** Whether a member adds it; else it lets itself in by an external commit. */
  readonly isAdded: boolean
}

/**
 * Whether something besides the server says that a device is the person's whose DID it bears. Of a
 * person whose devices are endorsed, the same identity key has to endorse it. Of any other person, or
 * one who is new here, the member who adds it has to know; for one that lets itself in nobody does,
 * unless it is a device of the group that comes back.
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

/** Those of the packages handed out for which nobody known vouches and that nobody allows. */
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

/** The identity keys that vouch for a person's devices in a group. */
async function endorsersOf(state: ClientState, did: string): Promise<Bytes[]> {
  const own = leavesOf(state.ratchetTree).filter((leaf) => leaf.did === did)
  const endorsers = await Promise.all(own.map(({ node }) => endorserOf(node)))
  return endorsers.filter((each) => each !== undefined)
}
