// The only place where the server reads MLS (RFC 9420). It reads only what MLS leaves unencrypted:
// - of any message: the wire format, group id, epoch and content type;
// - of a commit or proposal in a PublicMessage: the sender's leaf index and the proposals;
// - of a key package: its suite, lifetime, credential, signature key, leaf source and signatures;
// - of a Welcome: its suite and the refs of its key packages;
// - of a GroupInfo: its group context, signature, external key and the leaves of its tree.
// messages.ts and nodes.ts decode the bytes; ts-mls verifies signatures and computes refs.

import {
  headOf,
  readGroupInfo as readBareGroupInfo,
  readMessage,
  type WireCommit,
  type WireProposal,
} from './messages.ts'
import { loadMls, nameOfSuite, numberOfSuite, type Suite } from './mls-library.ts'
import {
  readKeyPackage as readBareKeyPackage,
  type Signed,
  supportsItself,
  type WireLeaf,
} from './nodes.ts'
import { readWhole } from './tls-reader.ts'

/** What identifies a leaf's owner and device. */
export interface LeafFacts {
  /** The identity of a BasicCredential as text: the owner's DID. */
  readonly identity: string
  /** The device's public key in base64. */
  readonly signatureKey: string
}

export interface KeyPackageFacts extends LeafFacts {
  /** KeyPackageRef (§5.2) in hex. */
  readonly ref: string
  readonly cipherSuite: string
  /** Seconds since 1970 (§7.2). */
  readonly notBefore: number
  readonly notAfter: number
  readonly isLastResort: boolean
  /** As an MLSMessage, even if it came as a bare KeyPackage. */
  readonly message: Buffer
}

export interface CommitFacts {
  readonly groupId: string
  /** The epoch in which the commit was framed. */
  readonly epoch: number
  /** The committer's leaf index; undefined for an external commit. */
  readonly senderLeaf: number | undefined
  /** The committer's leaf after the commit; undefined if the commit has no path. */
  readonly leaf: LeafFacts | undefined
  /** The refs of the added key packages, in the order of their proposals. */
  readonly adds: readonly string[]
  /** The indices of the leaves that its own proposals remove. */
  readonly removes: readonly number[]
  /** The refs of earlier proposals that it includes, in hex. */
  readonly references: readonly string[]
}

export interface RemoveProposalFacts {
  readonly groupId: string
  readonly epoch: number
  readonly senderLeaf: number
  readonly removed: number
  /** ProposalRef (§5.2) in hex. */
  readonly ref: string
}

export interface PrivateMessageFacts {
  readonly groupId: string
  readonly epoch: number
  readonly contentType: string
}

export interface WelcomeFacts {
  readonly cipherSuite: string
  readonly refs: readonly string[]
}

export interface GroupInfoFacts {
  readonly groupId: string
  readonly epoch: number
  readonly cipherSuite: string
  /** By leaf index; undefined if the GroupInfo does not include the tree. */
  readonly leaves: ReadonlyMap<number, LeafFacts> | undefined
  readonly hasExternalKey: boolean
  readonly message: Buffer
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/**
 * Returns undefined unless the key package is valid: checks its encoding, its leaf source, both signatures,
 * and that its leaf's capabilities cover what the leaf itself uses.
 */
export async function readKeyPackage(bytes: Buffer): Promise<KeyPackageFacts | undefined> {
  const wrapped = readMessage(bytes)
  const bare = wrapped ? undefined : readWhole(bytes, readBareKeyPackage)
  const keyPackage = wrapped?.kind === 'keyPackage' ? wrapped : bare
  const mls = await loadMls()
  const cipherSuite = nameOfSuite(keyPackage?.cipherSuite ?? 0)
  const suite = mls.suiteNamed(cipherSuite)
  if (!keyPackage || !suite) return undefined
  const { leaf } = keyPackage
  if (!supportsItself(leaf, keyPackage.cipherSuite)) return undefined
  const { lifetime } = leaf
  const facts = leafFacts(leaf)
  const isSigned =
    (await isSignedBy(leaf.signatureKey, 'KeyPackageTBS', keyPackage, suite)) &&
    (await isSignedBy(leaf.signatureKey, 'LeafNodeTBS', leaf, suite))
  if (!isSigned || !facts || !lifetime) return undefined
  return {
    ...facts,
    ref: await refOf('KeyPackage', keyPackage.bytes, suite),
    cipherSuite,
    ...lifetime,
    isLastResort: keyPackage.extensionTypes.includes(LAST_RESORT),
    message: wrapped ? bytes : Buffer.concat([headOf('keyPackage'), bytes]),
  }
}

/** The extension `last_resort_key_package` (IANA registry of RFC 9420). */
const LAST_RESORT = 10

/** KeyPackageRef and ProposalRef (§5.2), in hex. */
async function refOf(kind: 'KeyPackage' | 'Proposal', bytes: Buffer, suite: Suite) {
  const { refhash } = await loadMls()
  return hex(await refhash(`MLS 1.0 ${kind} Reference`, bytes, suite.hash))
}

/** Whether the signature with this label (§5.1.2) was made by the key. */
async function isSignedBy(
  key: Buffer,
  label: string,
  { content, signature }: Signed,
  suite: Suite,
): Promise<boolean> {
  const { verifyWithLabel } = await loadMls()
  try {
    return await verifyWithLabel(key, label, content, signature, await suite.signature())
  } catch {
    // The key or the signature is malformed.
    return false
  }
}

/** Returns undefined if the leaf has no BasicCredential. */
function leafFacts({ identity, signatureKey }: WireLeaf): LeafFacts | undefined {
  if (!identity) return undefined
  const text = identity.toString('latin1')
  return {
    // DIDs are printable ASCII; the empty string matches nobody's DID.
    identity: PRINTABLE.test(text) ? text : '',
    signatureKey: signatureKey.toString('base64'),
  }
}

const PRINTABLE = /^[\x21-\x7e]*$/

/**
 * Commits with more proposals and Welcomes for more devices are not read: looking up hundreds of thousands
 * takes seconds. It is enough for a thousand people with twenty devices each.
 */
const MAX_AT_ONCE = 20_000

/**
 * Returns undefined unless the bytes are a commit in a PublicMessage, and also if it has unsupported
 * proposals or breaks RFC 9420 in any state: members would refuse it, and the group would be stuck.
 */
export async function readCommit(
  bytes: Buffer,
  cipherSuite: string,
): Promise<CommitFacts | undefined> {
  const message = readMessage(bytes)
  const suite = (await loadMls()).suiteNamed(cipherSuite)
  if (!suite || message?.kind !== 'public' || message.content.kind !== 'commit') return undefined
  const { sender, content, groupId, epoch } = message
  const proposals = content.proposals.length + content.references.length
  if (sender === 'other' || proposals > MAX_AT_ONCE) return undefined
  const isExternal = sender === 'newMemberCommit'
  const leaf = content.leaf && leafFacts(content.leaf)
  if (content.leaf && !(leaf && supportsItself(content.leaf, numberOfSuite(cipherSuite)))) {
    return undefined
  }
  if (needsPath(content) && !leaf) return undefined
  // §12.4.3.2: an external commit must not refer to earlier proposals.
  if (isExternal && content.references.length > 0) return undefined
  const effects = await readProposals(content.proposals, suite, isExternal)
  if (!effects) return undefined
  return {
    groupId: hex(groupId),
    epoch,
    senderLeaf: isExternal ? undefined : sender,
    leaf,
    ...effects,
    references: content.references.map(hex),
  }
}

/** §12.4: whether the commit needs a path. References do, as the server stores only Remove proposals. */
function needsPath({ proposals, references }: WireCommit): boolean {
  const isPathless = ({ kind }: WireProposal) => kind === 'add' || kind === 'psk'
  return proposals.length === 0 || references.length > 0 || !proposals.every(isPathless)
}

async function readProposals(
  proposals: readonly WireProposal[],
  suite: Suite,
  isExternal: boolean,
): Promise<{ adds: string[]; removes: number[] } | undefined> {
  const adds: string[] = []
  const removes: number[] = []
  let inits = 0
  for (const proposal of proposals) {
    // §12.4.3.2: ExternalInit is for external commits only; Add and GroupContextExtensions are not.
    const isOnlyExternal = proposal.kind === 'externalInit'
    const isNeverExternal = proposal.kind === 'add' || proposal.kind === 'contextExtensions'
    if (isExternal ? isNeverExternal : isOnlyExternal) return undefined
    if (proposal.kind === 'add') {
      adds.push(await refOf('KeyPackage', proposal.keyPackage.bytes, suite))
    } else if (proposal.kind === 'remove') removes.push(proposal.removed)
    else if (proposal.kind === 'externalInit') inits += 1
  }
  // Exactly one ExternalInit, and at most one Remove, for the joiner's old leaf.
  if (isExternal && (inits !== 1 || removes.length > 1)) return undefined
  return { adds, removes }
}

/** Returns undefined unless the bytes are a member's Remove proposal in a PublicMessage. */
export async function readRemoveProposal(
  bytes: Buffer,
  cipherSuite: string,
): Promise<RemoveProposalFacts | undefined> {
  const message = readMessage(bytes)
  const suite = (await loadMls()).suiteNamed(cipherSuite)
  if (!suite || message?.kind !== 'public') return undefined
  const { sender, content, groupId, epoch, authenticated } = message
  if (typeof sender !== 'number' || content.kind !== 'remove') return undefined
  return {
    groupId: hex(groupId),
    epoch,
    senderLeaf: sender,
    removed: content.removed,
    ref: await refOf('Proposal', authenticated, suite),
  }
}

/** Returns undefined unless the bytes are a PrivateMessage. */
export function readPrivateMessage(bytes: Buffer): PrivateMessageFacts | undefined {
  const message = readMessage(bytes)
  if (message?.kind !== 'private') return undefined
  const { groupId, epoch, contentType } = message
  return { groupId: hex(groupId), epoch, contentType }
}

/** Returns undefined unless the bytes are a Welcome. */
export function readWelcome(bytes: Buffer): WelcomeFacts | undefined {
  const message = readMessage(bytes)
  if (message?.kind !== 'welcome' || message.refs.length > MAX_AT_ONCE) return undefined
  return { cipherSuite: nameOfSuite(message.cipherSuite), refs: message.refs.map(hex) }
}

/** Returns undefined unless the bytes are a GroupInfo; if it has the tree, its signature must be valid. */
export async function readGroupInfo(bytes: Buffer): Promise<GroupInfoFacts | undefined> {
  const wrapped = readMessage(bytes)
  const bare = wrapped ? undefined : readWhole(bytes, readBareGroupInfo)
  const groupInfo = wrapped?.kind === 'groupInfo' ? wrapped : bare
  const mls = await loadMls()
  const cipherSuite = nameOfSuite(groupInfo?.cipherSuite ?? 0)
  const suite = mls.suiteNamed(cipherSuite)
  if (!groupInfo || !suite) return undefined
  const { groupId, epoch, hasExternalKey, signer } = groupInfo
  if (groupInfo.leaves) {
    const key = groupInfo.leaves.get(signer)?.signatureKey
    if (!key || !(await isSignedBy(key, 'GroupInfoTBS', groupInfo, suite))) return undefined
  }
  const leaves = groupInfo.leaves && readLeaves(groupInfo.leaves)
  const message = wrapped ? bytes : Buffer.concat([headOf('groupInfo'), bytes])
  return { groupId: hex(groupId), epoch, cipherSuite, leaves, hasExternalKey, message }
}

/** Returns undefined if any leaf has no BasicCredential. */
function readLeaves(wireLeaves: ReadonlyMap<number, WireLeaf>): Map<number, LeafFacts> | undefined {
  const leaves = new Map<number, LeafFacts>()
  for (const [index, leaf] of wireLeaves) {
    const facts = leafFacts(leaf)
    if (!facts) return undefined
    leaves.set(index, facts)
  }
  return leaves
}
