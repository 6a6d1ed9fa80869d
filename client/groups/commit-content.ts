import type { ClientState, Proposal, PublicMessage } from 'ts-mls'
import { toBase64, toHex } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { didOf, type Leaf, leafAt } from '../mls/credential.ts'
import type { DeviceOf } from './history.ts'
import type { Newcomer } from './vouching.ts'

/** The devices that a commit adds and removes, and the device that made it. */
export interface CommitContent {
  readonly by: DeviceOf | undefined
  readonly added: readonly DeviceOf[]
  readonly removed: readonly DeviceOf[]
  /** The leaves it adds, including that of the device joining by an external commit. */
  readonly newcomers: readonly Newcomer[]
}

/** Reads a commit before it is applied; `state` is that of the epoch in which it was framed. */
export function readCommit(state: ClientState, message: PublicMessage): CommitContent {
  if (message.content.contentType !== 'commit') {
    throw new MlsError('unreadable', 'The log calls a commit what is none.')
  }
  const { commit, sender } = message.content
  const proposals = commit.proposals.flatMap((each): Proposal[] => {
    if (each.proposalOrRefType === 'proposal') return [each.proposal]
    const known = state.unappliedProposals[toBase64(each.reference)]
    return known ? [known.proposal] : []
  })
  // The maker of an external commit (RFC 9420 §12.4.3.2).
  const joining = sender.senderType === 'new_member_commit' ? commit.path?.leafNode : undefined
  const joiner = deviceOf(joining)
  const adding = proposals.flatMap((proposal) =>
    proposal.proposalType === 'add' ? [proposal.add.keyPackage.leafNode] : [],
  )
  const added = adding.flatMap((leaf) => deviceOf(leaf) ?? [])
  const removed = proposals.flatMap((proposal) =>
    proposal.proposalType === 'remove' ? (deviceAt(state, proposal.remove.removed) ?? []) : [],
  )
  const by = sender.senderType === 'member' ? deviceAt(state, sender.leafIndex) : joiner
  // A device that comes back removes its own old leaf: for the group nothing has changed.
  const isBack = removed.some(({ device }) => device === joiner?.device)
  return {
    by,
    newcomers: [
      ...adding.map((leaf) => ({ leaf, isAdded: true })),
      ...(joining ? [{ leaf: joining, isAdded: false }] : []),
    ],
    added: joiner && !isBack ? [...added, joiner] : added,
    removed: isBack ? removed.filter(({ device }) => device !== joiner?.device) : removed,
  }
}

export function deviceAt(state: ClientState, index: number): DeviceOf | undefined {
  return fromLeaf(leafAt(state.ratchetTree, index))
}

function fromLeaf(leaf: Leaf | undefined): DeviceOf | undefined {
  return leaf && { did: leaf.did, device: toHex(leaf.node.signaturePublicKey) }
}

function deviceOf(node: Leaf['node'] | undefined): DeviceOf | undefined {
  return node && { did: didOf(node) ?? '', device: toHex(node.signaturePublicKey) }
}
