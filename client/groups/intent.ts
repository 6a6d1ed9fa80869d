import type { ClientState, Proposal } from 'ts-mls'
import { fromBase64, toHex } from '../bytes.ts'
import { decodeKeyPackage } from '../mls/codec.ts'
import { leafAt, leafWithKey, leavesOf } from '../mls/credential.ts'

/** A key package that the service handed out. */
export interface HandedOut {
  readonly did: string
  /** KeyPackageRef (RFC 9420 §5.2), hex. */
  readonly ref: string
  /** The encoded KeyPackage, base64. */
  readonly keyPackage: string
}

/**
 * A desired change, independent of the commit that makes it: if another commit comes first, a new one is
 * made for the same intent.
 */
export type Intent = CommitIntent | { readonly type: 'leave' }

/** A change that is made by a commit. */
export type CommitIntent =
  | { readonly type: 'add'; readonly packages: readonly HandedOut[] }
  | { readonly type: 'remove'; readonly did: string }
  | { readonly type: 'remove-devices'; readonly keys: readonly string[] }
  /** New keys for this device's leaf, which restore secrecy after a compromise (RFC 9420 §16.6). */
  | { readonly type: 'update' }
  /** Commits others' proposals and due removals. */
  | { readonly type: 'settle' }

export interface Plan {
  /** The group's state, with only those of others' proposals that the commit should include. */
  readonly state: ClientState
  readonly proposals: Proposal[]
  /** Key packages that get a Welcome. */
  readonly welcomed: readonly HandedOut[]
  /** The person whom the commit is to remove; undefined if somebody else has removed them already. */
  readonly removedDid: string | undefined
}

/** The contents of a commit for the intent; undefined if there is nothing left to do. */
export function plan(
  state: ClientState,
  intent: CommitIntent,
  leavers: readonly string[],
): Plan | undefined {
  const own = state.privatePath.leafIndex
  const kept = Object.entries(state.unappliedProposals).filter(
    ([, { proposal, senderLeafIndex }]) => isWelcomeProposal(state, proposal, senderLeafIndex),
  )
  const byReference = new Set(kept.map(([, { proposal }]) => removedBy(proposal)))
  const unwanted = keysToRemove(state, intent)
  const removed = new Set(
    [...unwanted, ...leavers].flatMap((key) => {
      const leaf = leavesOf(state.ratchetTree).find(
        ({ node }) => toHex(node.signaturePublicKey) === key,
      )
      return leaf && leaf.index !== own && !byReference.has(leaf.index) ? [leaf.index] : []
    }),
  )
  const welcomed = intent.type === 'add' ? absent(state, intent.packages) : []
  const proposals: Proposal[] = [
    ...[...removed].map(
      (index): Proposal => ({ proposalType: 'remove', remove: { removed: index } }),
    ),
    ...welcomed.map(
      ({ keyPackage }): Proposal => ({
        proposalType: 'add',
        add: { keyPackage: decodeKeyPackage(fromBase64(keyPackage)) },
      }),
    ),
  ]
  if (intent.type !== 'update' && proposals.length === 0 && kept.length === 0) return undefined
  return {
    state: { ...state, unappliedProposals: Object.fromEntries(kept) },
    proposals,
    welcomed,
    removedDid: intent.type === 'remove' && unwanted.length > 0 ? intent.did : undefined,
  }
}

/** Whether others' proposals or removals are waiting for a commit. */
export function isCommitDue(state: ClientState, leavers: readonly string[]): boolean {
  return plan(state, { type: 'settle' }, leavers) !== undefined
}

/**
 * A commit includes others' proposals only if they concern the proposer: new keys of their own leaf, or
 * the removal of their own devices. Anything else needs permissions, which the service checks per commit.
 */
function isWelcomeProposal(
  state: ClientState,
  proposal: Proposal,
  sender: number | undefined,
): boolean {
  if (sender === undefined || sender === state.privatePath.leafIndex) return false
  if (proposal.proposalType === 'update') return true
  const removed = removedBy(proposal)
  return (
    removed !== undefined &&
    removed !== state.privatePath.leafIndex &&
    isOfSamePerson(state, sender, removed)
  )
}

export function isOfSamePerson(state: ClientState, one: number, other: number): boolean {
  const did = leafAt(state.ratchetTree, one)?.did
  return did !== undefined && did !== '' && leafAt(state.ratchetTree, other)?.did === did
}

/** The index of the leaf that a Remove proposal (RFC 9420 §12.1.3) names. */
export function removedBy(proposal: Proposal): number | undefined {
  return proposal.proposalType === 'remove' ? proposal.remove.removed : undefined
}

function keysToRemove(state: ClientState, intent: CommitIntent): readonly string[] {
  if (intent.type === 'remove-devices') return intent.keys
  if (intent.type !== 'remove') return []
  return leavesOf(state.ratchetTree)
    .filter(({ did }) => did === intent.did)
    .map(({ node }) => toHex(node.signaturePublicKey))
}

function absent(state: ClientState, packages: readonly HandedOut[]): HandedOut[] {
  return packages.filter(({ keyPackage }) => {
    const { leafNode } = decodeKeyPackage(fromBase64(keyPackage))
    return leafWithKey(state.ratchetTree, leafNode.signaturePublicKey) === undefined
  })
}
