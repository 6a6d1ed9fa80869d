// Decodes the messages of RFC 9420 §6, as far as the server needs them. Unsupported content, such as a
// proposal of an unknown type, is treated as malformed.

import {
  findLeaves,
  leafSources,
  MLS_10,
  readExtensions,
  readKeyPackage,
  readLeafNode,
  readVersion,
  type Signed,
  skipExtensions,
  type WireKeyPackage,
  type WireLeaf,
} from './nodes.ts'
import { MalformedError, readWhole, type TlsReader } from './tls-reader.ts'

const PUBLIC_MESSAGE = 1
const PRIVATE_MESSAGE = 2
const WELCOME = 3
const GROUP_INFO = 4
const KEY_PACKAGE = 5
const EXTERNAL_PUB = 4
const contentTypes = { application: 1, proposal: 2, commit: 3 } as const
const senderTypes = { member: 1, external: 2, newMemberProposal: 3, newMemberCommit: 4 } as const
const proposalTypes = { add: 1, remove: 3, psk: 4, externalInit: 6, contextExtensions: 7 } as const

export type WireProposal =
  | { readonly kind: 'add'; readonly keyPackage: WireKeyPackage }
  | { readonly kind: 'remove'; readonly removed: number }
  | { readonly kind: 'psk' | 'externalInit' | 'contextExtensions' }

export interface WireCommit {
  readonly proposals: readonly WireProposal[]
  /** The refs of earlier proposals. */
  readonly references: readonly Buffer[]
  /** The committer's leaf, if the commit has a path. */
  readonly leaf: WireLeaf | undefined
}

export interface WirePublicMessage {
  readonly kind: 'public'
  readonly groupId: Buffer
  readonly epoch: number
  /** The leaf index of a member, or the kind of a sender who is not a member. */
  readonly sender: number | 'newMemberCommit' | 'other'
  readonly content: WireProposal | ({ readonly kind: 'commit' } & WireCommit)
  /** The AuthenticatedContent (§6.1), whose hash is the ProposalRef. */
  readonly authenticated: Buffer
}

export interface WirePrivateMessage {
  readonly kind: 'private'
  readonly groupId: Buffer
  readonly epoch: number
  readonly contentType: 'application' | 'proposal' | 'commit'
}

export interface WireWelcome {
  readonly kind: 'welcome'
  readonly cipherSuite: number
  readonly refs: readonly Buffer[]
}

export interface WireGroupInfo extends Signed {
  readonly kind: 'groupInfo'
  readonly cipherSuite: number
  readonly groupId: Buffer
  readonly epoch: number
  readonly leaves: ReadonlyMap<number, WireLeaf> | undefined
  readonly hasExternalKey: boolean
  /** The index of the leaf that signed it. */
  readonly signer: number
}

export type WireMessage =
  | WirePublicMessage
  | WirePrivateMessage
  | WireWelcome
  | WireGroupInfo
  | ({ readonly kind: 'keyPackage' } & WireKeyPackage)

/** Decodes an MLSMessage of version 1.0; undefined if the bytes are not exactly one. */
export function readMessage(bytes: Uint8Array): WireMessage | undefined {
  return readWhole(bytes, (reader): WireMessage => {
    readVersion(reader)
    switch (reader.uint16()) {
      case PUBLIC_MESSAGE:
        return readPublicMessage(reader)
      case PRIVATE_MESSAGE:
        return readPrivateMessage(reader)
      case WELCOME:
        return readWelcome(reader)
      case GROUP_INFO:
        return readGroupInfo(reader)
      case KEY_PACKAGE:
        return { kind: 'keyPackage', ...readKeyPackage(reader) }
      default:
        throw new MalformedError('unknown wire format')
    }
  })
}

/** The header that turns a bare GroupInfo or KeyPackage into an MLSMessage. */
export function headOf(kind: 'groupInfo' | 'keyPackage'): Buffer {
  return Buffer.from([0, MLS_10, 0, kind === 'groupInfo' ? GROUP_INFO : KEY_PACKAGE])
}

function readPublicMessage(reader: TlsReader): WirePublicMessage {
  // AuthenticatedContent begins with the wire format.
  const start = reader.position - 2
  const groupId = reader.vector()
  const epoch = reader.uint64()
  const { member, external, newMemberProposal, newMemberCommit } = senderTypes
  const senderType = reader.oneOf(reader.uint8(), [
    ...[member, external, newMemberProposal, newMemberCommit],
  ])
  const index = senderType === member || senderType === external ? reader.uint32() : undefined
  // The authenticated data.
  reader.skipVector()
  // §6: application data is always encrypted.
  const contentType = reader.oneOf(reader.uint8(), [contentTypes.proposal, contentTypes.commit])
  const isCommit = contentType === contentTypes.commit
  const content = isCommit ? readCommit(reader) : readProposal(reader)
  // The signature, and a commit's confirmation tag.
  reader.skipVector()
  if (isCommit) reader.skipVector()
  const authenticated = reader.since(start)
  // The membership tag.
  if (senderType === member) reader.skipVector()
  const isMember = senderType === member && index !== undefined
  const other = senderType === newMemberCommit ? 'newMemberCommit' : 'other'
  const sender = isMember ? index : other
  return { kind: 'public', groupId, epoch, sender, content, authenticated }
}

function readCommit(reader: TlsReader): { kind: 'commit' } & WireCommit {
  const proposals: WireProposal[] = []
  const references: Buffer[] = []
  reader.items(() => {
    // ProposalOrRefType: a proposal, or a reference to one.
    if (reader.oneOf(reader.uint8(), [1, 2]) === 1) proposals.push(readProposal(reader))
    else references.push(reader.vector())
  })
  return { kind: 'commit', proposals, references, leaf: reader.optional(() => readPath(reader)) }
}

/** Reads the leaf of an UpdatePath (§7.6) and skips its nodes: keys and what is encrypted to them. */
function readPath(reader: TlsReader): WireLeaf {
  const leaf = readLeafNode(reader)
  if (leaf.source !== leafSources.commit) throw new MalformedError('not the leaf of a commit')
  reader.items(() => {
    reader.skipVector()
    reader.items(() => skipCiphertext(reader))
  })
  return leaf
}

function readProposal(reader: TlsReader): WireProposal {
  const { add, remove, psk, externalInit, contextExtensions } = proposalTypes
  switch (reader.uint16()) {
    case add:
      return { kind: 'add', keyPackage: readKeyPackage(reader) }
    case remove:
      return { kind: 'remove', removed: reader.uint32() }
    case psk:
      skipPskId(reader)
      return { kind: 'psk' }
    case externalInit:
      reader.skipVector()
      return { kind: 'externalInit' }
    case contextExtensions:
      skipExtensions(reader)
      return { kind: 'contextExtensions' }
    default:
      // Updates cannot be committed by their sender, ReInit is not supported, and unknown types
      // cannot be checked.
      throw new MalformedError('no proposal that a group here has')
  }
}

/** PreSharedKeyID (§8.4): external, or resumption with usage, group and epoch; then a nonce. */
function skipPskId(reader: TlsReader): void {
  const isResumption = reader.oneOf(reader.uint8(), [1, 2]) === 2
  if (isResumption) reader.oneOf(reader.uint8(), [1, 2, 3])
  reader.skipVector()
  if (isResumption) reader.uint64()
  reader.skipVector()
}

/** HPKECiphertext (§7.6). */
function skipCiphertext(reader: TlsReader): void {
  reader.skipVector()
  reader.skipVector()
}

function readPrivateMessage(reader: TlsReader): WirePrivateMessage {
  const groupId = reader.vector()
  const epoch = reader.uint64()
  const type = reader.oneOf(reader.uint8(), Object.values(contentTypes))
  // The authenticated data, the encrypted sender and the ciphertext.
  for (let rest = 0; rest < 3; rest++) reader.skipVector()
  const contentType = (['application', 'proposal', 'commit'] as const)[type - 1]
  if (!contentType) throw new MalformedError('unknown content type')
  return { kind: 'private', groupId, epoch, contentType }
}

function readWelcome(reader: TlsReader): WireWelcome {
  const cipherSuite = reader.uint16()
  const refs = reader.items(() => {
    const ref = reader.vector()
    skipCiphertext(reader)
    return ref
  })
  // The encrypted GroupInfo.
  reader.skipVector()
  return { kind: 'welcome', cipherSuite, refs }
}

/** Decodes a bare GroupInfo (§12.4.3), which some clients send without the MLSMessage header. */
export function readGroupInfo(reader: TlsReader): WireGroupInfo {
  const start = reader.position
  readVersion(reader)
  const cipherSuite = reader.uint16()
  const groupId = reader.vector()
  const epoch = reader.uint64()
  // The tree hash and the confirmed transcript hash, and the extensions of the group context.
  reader.skipVector()
  reader.skipVector()
  skipExtensions(reader)
  const extensions = readExtensions(reader)
  // The confirmation tag.
  reader.skipVector()
  const signer = reader.uint32()
  const content = reader.since(start)
  const signature = reader.vector()
  const leaves = findLeaves(extensions)
  const hasExternalKey = extensions.some(({ type }) => type === EXTERNAL_PUB)
  const context = { cipherSuite, groupId, epoch }
  return { kind: 'groupInfo', ...context, leaves, hasExternalKey, signer, content, signature }
}
