import {
  decodeMlsMessage,
  encodeMlsMessage,
  type GroupInfo,
  type KeyPackage,
  type LeafNode,
  type MLSMessage,
  type Proposal,
} from 'ts-mls'
import { encodeAuthenticatedContent } from 'ts-mls/authenticatedContent.js'
import { ciphersuites } from 'ts-mls/crypto/ciphersuite.js'
import { extensionTypeToNumber } from 'ts-mls/extension.js'
import { encodeGroupInfoTBS } from 'ts-mls/groupInfo.js'
import { encodeKeyPackage, encodeKeyPackageTBS } from 'ts-mls/keyPackage.js'
import { encodeLeafNodeData, encodeLeafNodeInfoOmitted } from 'ts-mls/leafNode.js'
import type { PublicMessage } from 'ts-mls/publicMessage.js'
import { decodeRatchetTree, encodeRatchetTree } from 'ts-mls/ratchetTree.js'
import { readMessage, type WireMessage } from '../../src/features/mls/wire/messages.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** What our reader returns for the bytes, in plain form. */
export function readOurs(bytes: Buffer): unknown {
  return plain(readMessage(bytes))
}

function plain(value: WireMessage | undefined): unknown {
  if (value === undefined) return undefined
  return JSON.parse(
    JSON.stringify(value, function (this: Record<string, unknown>, key, json) {
      const held = this[key]
      if (Buffer.isBuffer(held)) return hex(held)
      return held instanceof Map ? [...held] : json
    }),
  )
}

/**
 * The same with ts-mls. It is more lenient in a few things, so its input must also equal its own
 * encoding: shortest lengths, presence octets of 0 and 1, nothing after a tree.
 */
export function readByTsMls(bytes: Buffer): unknown {
  try {
    const decoded = decodeMlsMessage(bytes, 0)
    if (decoded?.[1] !== bytes.length) return undefined
    const [message] = decoded
    if (hex(encodeMlsMessage(message)) !== hex(bytes)) return undefined
    return JSON.parse(JSON.stringify(messageOf(message)))
  } catch (error) {
    return isStackOverflow(error) ? NO_OPINION : undefined
  }
}

/** The result for a vector of some ten thousand items: the encoder of ts-mls calls itself once per item. */
export const NO_OPINION = Symbol('the stack of ts-mls overflowed')

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && /call stack/.test(error.message)
}

/** Thrown for input that ts-mls accepts and the server refuses on purpose. */
class RefusedError extends Error {}

function messageOf(message: MLSMessage): object {
  switch (message.wireformat) {
    case 'mls_public_message':
      return publicMessageOf(message.publicMessage)
    case 'mls_private_message': {
      const { groupId, epoch, contentType } = message.privateMessage
      return { kind: 'private', groupId: hex(groupId), epoch: Number(epoch), contentType }
    }
    case 'mls_welcome': {
      const { cipherSuite, secrets } = message.welcome
      const refs = secrets.map(({ newMember }) => hex(newMember))
      return { kind: 'welcome', cipherSuite: suiteId(cipherSuite), refs }
    }
    case 'mls_group_info':
      return groupInfoOf(message.groupInfo)
    case 'mls_key_package':
      return { kind: 'keyPackage', ...keyPackageOf(message.keyPackage) }
  }
}

/** The number of a suite, even where ts-mls uses a name. */
function suiteId(name: string): number {
  return ciphersuites[name as keyof typeof ciphersuites] ?? Number(name)
}

function publicMessageOf({ content, auth }: PublicMessage): object {
  const { groupId, epoch, sender } = content
  const wireformat = 'mls_public_message' as const
  const other = sender.senderType === 'new_member_commit' ? 'newMemberCommit' : 'other'
  const head = {
    kind: 'public',
    groupId: hex(groupId),
    epoch: Number(epoch),
    sender: sender.senderType === 'member' ? sender.leafIndex : other,
    authenticated: hex(encodeAuthenticatedContent({ wireformat, content, auth })),
  }
  // RFC 9420 §6: application data must not be sent as a PublicMessage.
  if (content.contentType === 'application') throw new RefusedError()
  if (content.contentType === 'proposal') {
    return { ...head, content: proposalOf(content.proposal) }
  }
  const { proposals, path } = content.commit
  const commit = {
    kind: 'commit',
    proposals: proposals.flatMap((one) => ('proposal' in one ? [proposalOf(one.proposal)] : [])),
    references: proposals.flatMap((one) => ('reference' in one ? [hex(one.reference)] : [])),
    leaf: path && leafOf(path.leafNode),
  }
  return { ...head, content: commit }
}

function proposalOf(proposal: Proposal): object {
  switch (proposal.proposalType) {
    case 'add':
      return { kind: 'add', keyPackage: keyPackageOf(proposal.add.keyPackage) }
    case 'remove':
      return { kind: 'remove', removed: proposal.remove.removed }
    case 'psk':
      return { kind: 'psk' }
    case 'external_init':
      return { kind: 'externalInit' }
    case 'group_context_extensions':
      return { kind: 'contextExtensions' }
    default:
      throw new RefusedError()
  }
}

function keyPackageOf(keyPackage: KeyPackage): object {
  return {
    cipherSuite: suiteId(keyPackage.cipherSuite),
    leaf: leafOf(keyPackage.leafNode),
    extensionTypes: keyPackage.extensions.map((one) => extensionTypeToNumber(one.extensionType)),
    content: hex(encodeKeyPackageTBS(keyPackage)),
    signature: hex(keyPackage.signature),
    bytes: hex(encodeKeyPackage(keyPackage)),
  }
}

function leafOf(leaf: LeafNode): object {
  const { capabilities, credential, extensions, leafNodeSource } = leaf
  const { signaturePublicKey, signature } = leaf
  const { notBefore, notAfter } = 'lifetime' in leaf ? leaf.lifetime : {}
  return {
    source: { key_package: 1, update: 2, commit: 3 }[leafNodeSource],
    identity: 'identity' in credential ? hex(credential.identity) : undefined,
    signatureKey: hex(signaturePublicKey),
    capabilities: {
      versions: capabilities.versions.length,
      cipherSuites: capabilities.ciphersuites.map(suiteId),
      extensions: capabilities.extensions,
      credentials: capabilities.credentials.map(credentialId),
    },
    extensionTypes: extensions.map((one) => extensionTypeToNumber(one.extensionType)),
    lifetime:
      notBefore === undefined
        ? undefined
        : { notBefore: Number(notBefore), notAfter: Number(notAfter) },
    content: hex(encodeLeafNodeData(leaf)) + hex(encodeLeafNodeInfoOmitted(leaf)),
    signature: hex(signature),
  }
}

function groupInfoOf(groupInfo: GroupInfo): object {
  const { groupContext, extensions, signer, signature } = groupInfo
  const trees = extensions.filter(({ extensionType }) => extensionType === 'ratchet_tree')
  // With two, each reader might use a different one.
  if (trees.length > 1) throw new RefusedError()
  return {
    kind: 'groupInfo',
    cipherSuite: suiteId(groupContext.cipherSuite),
    groupId: hex(groupContext.groupId),
    epoch: Number(groupContext.epoch),
    leaves: trees[0] && leavesOf(trees[0].extensionData),
    hasExternalKey: extensions.some(({ extensionType }) => extensionType === 'external_pub'),
    signer,
    content: hex(encodeGroupInfoTBS(groupInfo)),
    signature: hex(signature),
  }
}

function leavesOf(bytes: Uint8Array): object {
  const tree = decodeRatchetTree(bytes, 0)?.[0]
  if (!tree || hex(encodeRatchetTree(tree)) !== hex(bytes)) throw new RefusedError()
  return tree.flatMap((node, place) => {
    if (!node) return []
    // Appendix C: leaves are at the even positions, and only there.
    if ((node.nodeType === 'leaf') !== (place % 2 === 0)) throw new RefusedError()
    return node.nodeType === 'leaf' ? [[place / 2, leafOf(node.leaf)]] : []
  })
}

function credentialId(name: string): number {
  return { basic: 1, x509: 2 }[name] ?? Number(name)
}
