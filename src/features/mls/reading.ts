// The one place where the server reads MLS (RFC 9420). It looks at what MLS leaves in the clear and at
// nothing else: of any message the wire format, group id, epoch and content type; of a commit or proposal
// in a PublicMessage the sender's leaf index and the proposals; of a key package its suite, lifetime,
// credential, signature key, leaf source and signatures; of a Welcome its suite and the key packages
// that it is for; of a GroupInfo its group context, signature, external key and the leaves of its tree.
import { type Hash, loadMls, type MLSMessage, type Proposal } from './mls-library.ts'

/** The most that is read of a message, far above what any method takes. */
const MOST_BYTES = 16 * 1024 * 1024

/** A leaf as it names its owner and is known in the group. */
export interface LeafFacts {
  /** The identity of a BasicCredential as text: the owner's DID. */
  readonly identity: string
  /** In base64. */
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
  /** As an MLSMessage, whichever form came. */
  readonly message: Buffer
}

export interface CommitFacts {
  readonly groupId: string
  /** The one that it was framed in. */
  readonly epoch: number
  /** The leaf of the committer; undefined in an external commit. */
  readonly senderLeaf: number | undefined
  /** The committer's leaf after the commit; absent without a path. */
  readonly leaf: LeafFacts | undefined
  /** The refs of the key packages that it adds, in their order. */
  readonly adds: readonly string[]
  /** The indices of the leaves that it removes. */
  readonly removes: readonly number[]
  /** The refs of proposals that were sent before, in hex. */
  readonly references: readonly string[]
}

export interface RemoveProposalFacts {
  readonly groupId: string
  readonly epoch: number
  readonly senderLeaf: number
  readonly removed: number
  /** ProposalRef (§5.2) in hex; needs the group's suite. */
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
  /** By leaf index; undefined when it comes without its tree. */
  readonly leaves: ReadonlyMap<number, LeafFacts> | undefined
  readonly hasExternalKey: boolean
  readonly message: Buffer
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** A version 1.0 MLSMessage of which nothing is left over, or undefined. */
async function decode(bytes: Uint8Array): Promise<MLSMessage | undefined> {
  if (bytes.byteLength > MOST_BYTES) return undefined
  const { decodeMlsMessage } = await loadMls()
  try {
    const decoded = decodeMlsMessage(bytes, 0)
    return decoded?.[1] === bytes.byteLength ? decoded[0] : undefined
  } catch {
    return undefined
  }
}

/** Undefined for what is no valid key package: its form, its leaf source and both signatures are checked. */
export async function readKeyPackage(bytes: Uint8Array): Promise<KeyPackageFacts | undefined> {
  const mls = await loadMls()
  try {
    const wrapped = await decode(bytes)
    const bare = wrapped ? undefined : mls.decodeKeyPackage(bytes, 0)
    if (!wrapped && bare?.[1] !== bytes.byteLength) return undefined
    const keyPackage = wrapped?.wireformat === 'mls_key_package' ? wrapped.keyPackage : bare?.[0]
    const suite = keyPackage && mls.suiteNamed(keyPackage.cipherSuite)
    if (!keyPackage || !suite) return undefined
    const message = Buffer.from(
      mls.encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage }),
    )
    // What does not come back as it was read would have another ref elsewhere.
    if (!message.subarray(wrapped ? 0 : 4).equals(bytes)) return undefined
    const signature = await mls.signatureOf(suite)
    const { leafNode } = keyPackage
    const isSigned =
      (await mls.verifyKeyPackage(keyPackage, signature)) &&
      (await mls.verifyLeafNodeSignatureKeyPackage(leafNode, signature))
    const leaf = leafFacts(leafNode)
    if (!isSigned || !leaf) return undefined
    return {
      ...leaf,
      ref: hex(await mls.makeKeyPackageRef(keyPackage, mls.hashOf(suite))),
      cipherSuite: keyPackage.cipherSuite,
      notBefore: Number(leafNode.lifetime.notBefore),
      notAfter: Number(leafNode.lifetime.notAfter),
      isLastResort: keyPackage.extensions.some(
        ({ extensionType }) => extensionType === LAST_RESORT,
      ),
      message,
    }
  } catch {
    return undefined
  }
}

/** The extension `last_resort_key_package` (RFC 9420's registry). */
const LAST_RESORT = 10

interface Leaf {
  readonly credential: { readonly credentialType: string; readonly identity?: Uint8Array }
  readonly signaturePublicKey: Uint8Array
}

function leafFacts({ credential, signaturePublicKey }: Leaf): LeafFacts | undefined {
  if (credential.credentialType !== 'basic' || !credential.identity) return undefined
  return {
    // A DID is ASCII: what is no text cannot become one by this.
    identity: new TextDecoder().decode(credential.identity),
    signatureKey: Buffer.from(signaturePublicKey).toString('base64'),
  }
}

/** Undefined for what is no commit in a PublicMessage, or one with proposals that no group here has. */
export async function readCommit(
  bytes: Uint8Array,
  cipherSuite: string,
): Promise<CommitFacts | undefined> {
  const mls = await loadMls()
  const suite = mls.suiteNamed(cipherSuite)
  const message = await decode(bytes)
  if (!suite || message?.wireformat !== 'mls_public_message') return undefined
  const { content } = message.publicMessage
  if (content.contentType !== 'commit') return undefined
  const { sender, commit } = content
  if (sender.senderType !== 'member' && sender.senderType !== 'new_member_commit') return undefined
  const isExternal = sender.senderType === 'new_member_commit'
  if (isExternal && !commit.path) return undefined
  try {
    const effects = await readProposals(
      commit.proposals.flatMap((one) =>
        one.proposalOrRefType === 'proposal' ? [one.proposal] : [],
      ),
      mls.hashOf(suite),
      isExternal,
    )
    const leaf = commit.path && leafFacts(commit.path.leafNode)
    if (!effects || (commit.path && !leaf)) return undefined
    return {
      groupId: hex(content.groupId),
      epoch: Number(content.epoch),
      senderLeaf: sender.senderType === 'member' ? sender.leafIndex : undefined,
      leaf,
      ...effects,
      references: commit.proposals.flatMap((one) =>
        one.proposalOrRefType === 'reference' ? [hex(one.reference)] : [],
      ),
    }
  } catch {
    return undefined
  }
}

async function readProposals(
  proposals: readonly Proposal[],
  hash: Hash,
  isExternal: boolean,
): Promise<{ adds: string[]; removes: number[] } | undefined> {
  const { makeKeyPackageRef } = await loadMls()
  const adds: string[] = []
  const removes: number[] = []
  let inits = 0
  for (const proposal of proposals) {
    if (proposal.proposalType === 'add' && !isExternal) {
      adds.push(hex(await makeKeyPackageRef(proposal.add.keyPackage, hash)))
    } else if (proposal.proposalType === 'remove') removes.push(proposal.remove.removed)
    else if (proposal.proposalType === 'external_init' && isExternal) inits += 1
    // A group goes on under its own id and suite; what is not known cannot be judged.
    else if (!['psk', 'group_context_extensions'].includes(String(proposal.proposalType))) {
      return undefined
    } else if (isExternal && proposal.proposalType !== 'psk') return undefined
  }
  // §12.4.3.2: exactly one ExternalInit, and at most one Remove, of the joiner's old leaf.
  if (isExternal && (inits !== 1 || removes.length > 1)) return undefined
  return { adds, removes }
}

/** Undefined for what is no Remove proposal of a member's in a PublicMessage. */
export async function readRemoveProposal(
  bytes: Uint8Array,
  cipherSuite: string,
): Promise<RemoveProposalFacts | undefined> {
  const mls = await loadMls()
  const suite = mls.suiteNamed(cipherSuite)
  const message = await decode(bytes)
  if (!suite || message?.wireformat !== 'mls_public_message') return undefined
  const { content, auth } = message.publicMessage
  const { sender } = content
  if (sender.senderType !== 'member' || content.contentType !== 'proposal') return undefined
  if (content.proposal.proposalType !== 'remove') return undefined
  const wireformat = 'mls_public_message'
  const ref = await mls.makeProposalRef({ wireformat, content, auth }, mls.hashOf(suite))
  return {
    groupId: hex(content.groupId),
    epoch: Number(content.epoch),
    senderLeaf: sender.leafIndex,
    removed: content.proposal.remove.removed,
    ref: hex(ref),
  }
}

/** Undefined for what is no PrivateMessage. */
export async function readPrivateMessage(
  bytes: Uint8Array,
): Promise<PrivateMessageFacts | undefined> {
  const message = await decode(bytes)
  if (message?.wireformat !== 'mls_private_message') return undefined
  const { groupId, epoch, contentType } = message.privateMessage
  return { groupId: hex(groupId), epoch: Number(epoch), contentType }
}

/** Undefined for what is no Welcome. */
export async function readWelcome(bytes: Uint8Array): Promise<WelcomeFacts | undefined> {
  const message = await decode(bytes)
  if (message?.wireformat !== 'mls_welcome') return undefined
  const { cipherSuite, secrets } = message.welcome
  return { cipherSuite, refs: secrets.map(({ newMember }) => hex(newMember)) }
}

/** Undefined for what is no GroupInfo, or one that its signer did not sign. */
export async function readGroupInfo(bytes: Uint8Array): Promise<GroupInfoFacts | undefined> {
  const mls = await loadMls()
  try {
    const wrapped = await decode(bytes)
    const bare = wrapped ? undefined : mls.decodeGroupInfo(bytes, 0)
    if (!wrapped && bare?.[1] !== bytes.byteLength) return undefined
    const groupInfo = wrapped?.wireformat === 'mls_group_info' ? wrapped.groupInfo : bare?.[0]
    const suite = groupInfo && mls.suiteNamed(groupInfo.groupContext.cipherSuite)
    if (!groupInfo || !suite) return undefined
    const { groupContext, extensions, signer } = groupInfo
    const leaves = readLeaves(mls.ratchetTreeFromExtension(groupInfo))
    const key = leaves?.get(signer)?.signatureKey
    if (leaves) {
      const publicKey = Buffer.from(key ?? '', 'base64')
      const signature = await mls.signatureOf(suite)
      if (!(await mls.verifyGroupInfoSignature(groupInfo, publicKey, signature))) return undefined
    }
    return {
      groupId: hex(groupContext.groupId),
      epoch: Number(groupContext.epoch),
      cipherSuite: groupContext.cipherSuite,
      leaves,
      hasExternalKey: extensions.some(({ extensionType }) => extensionType === 'external_pub'),
      message: Buffer.from(
        mls.encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo }),
      ),
    }
  } catch {
    return undefined
  }
}

type Tree = ReadonlyArray<{ nodeType: string; leaf?: Leaf } | undefined>

/** The leaves of a tree in its array form, where they stand at the even places (appendix C). */
function readLeaves(tree: Tree | undefined): Map<number, LeafFacts> | undefined {
  if (!tree) return undefined
  const leaves = new Map<number, LeafFacts>()
  for (let place = 0; place < tree.length; place += 2) {
    const leaf = tree[place]?.leaf
    if (!leaf) continue
    const facts = leafFacts(leaf)
    if (!facts) return undefined
    leaves.set(place / 2, facts)
  }
  return leaves
}
