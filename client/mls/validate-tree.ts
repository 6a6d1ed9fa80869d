import type { CiphersuiteImpl, GroupContext, LeafNode, RatchetTree } from 'ts-mls'
import { extensionsSupportedByCapabilities } from 'ts-mls/extension.js'
import { verifyLeafNodeSignature, verifyLeafNodeSignatureKeyPackage } from 'ts-mls/leafNode.js'
import { verifyParentHashes } from 'ts-mls/parentHash.js'
import { treeHashRoot } from 'ts-mls/treeHash.js'
import { directPath, leafToNodeIndex, leafWidth, toLeafIndex } from 'ts-mls/treemath.js'
import { equal, toHex } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { clientConfig } from './config.ts'
import { leavesOf } from './credential.ts'

/**
 * Validates a group's tree before joining (RFC 9420 §12.4.3.1, §7.3); throws `unreadable`.
 *
 * The joins of ts-mls contain such a check, but up to 1.6.4 and 2.0.0-rc.10 it requires every node above
 * an unmerged leaf to list it, even nodes above the one that lists it, whose list another commit may have
 * cleared since. It rejects valid trees of more than a few devices, hence this check and our own joins.
 */
export async function validateTree(
  tree: RatchetTree,
  context: GroupContext,
  cs: CiphersuiteImpl,
): Promise<void> {
  for (const { index, node } of leavesOf(tree)) await validateLeaf(node, index, context, cs)
  requireUnique(tree)
  requireCredentials(tree)
  requireUnmerged(tree)
  if (!(await verifyParentHashes(tree, cs.hash))) throw invalid('a parent hash is wrong')
  const treeHash = await treeHashRoot(tree, cs.hash)
  if (!equal(treeHash, context.treeHash)) throw invalid('its hash is another')
}

async function validateLeaf(
  leaf: LeafNode,
  index: number,
  { groupId }: GroupContext,
  cs: CiphersuiteImpl,
): Promise<void> {
  const isSigned =
    leaf.leafNodeSource === 'key_package'
      ? await verifyLeafNodeSignatureKeyPackage(leaf, cs.signature)
      : await verifyLeafNodeSignature(leaf, groupId, index, cs.signature)
  if (!isSigned) throw invalid(`leaf ${index} is not signed`)
  const { authService } = clientConfig
  if (!(await authService.validateCredential(leaf.credential, leaf.signaturePublicKey))) {
    throw invalid(`leaf ${index} has no credential of a person`)
  }
  if (!extensionsSupportedByCapabilities(leaf.extensions, leaf.capabilities)) {
    throw invalid(`leaf ${index} has an extension that it does not support`)
  }
}

/** Signature keys must be unique among leaves, encryption keys among all nodes. */
function requireUnique(tree: RatchetTree): void {
  const signatureKeys = leavesOf(tree).map(({ node }) => toHex(node.signaturePublicKey))
  const encryptionKeys = tree.flatMap((node) => {
    if (!node) return []
    const { hpkePublicKey } = node.nodeType === 'leaf' ? node.leaf : node.parent
    return [toHex(hpkePublicKey)]
  })
  for (const keys of [signatureKeys, encryptionKeys]) {
    if (new Set(keys).size < keys.length) throw invalid('two nodes have one key')
  }
}

/** Every member must support the credential types of all members. */
function requireCredentials(tree: RatchetTree): void {
  const leaves = leavesOf(tree)
  const types = new Set(leaves.map(({ node }) => node.credential.credentialType))
  for (const { index, node } of leaves) {
    if ([...types].some((type) => !node.capabilities.credentials.includes(type))) {
      throw invalid(`leaf ${index} does not understand everybody’s credential`)
    }
  }
}

/** An unmerged leaf must be below the node that lists it and be listed by all nodes in between. */
function requireUnmerged(tree: RatchetTree): void {
  const width = leafWidth(tree.length)
  for (const [at, node] of tree.entries()) {
    const isLeafPlace = at % 2 === 0
    if (node && isLeafPlace !== (node.nodeType === 'leaf')) throw invalid('a node is out of place')
    if (node?.nodeType !== 'parent') continue
    for (const leaf of node.parent.unmergedLeaves) {
      const place = leafToNodeIndex(toLeafIndex(leaf))
      // Checked first, because `directPath` never returns for a node outside the tree.
      if (tree[place]?.nodeType !== 'leaf')
        throw invalid(`node ${at} lists a leaf that is not there`)
      const above: number[] = directPath(place, width)
      if (!above.includes(at)) throw invalid(`node ${at} lists a leaf that is not below it`)
      for (const between of above.slice(0, above.indexOf(at))) {
        const other = tree[between]
        if (other?.nodeType === 'parent' && !other.parent.unmergedLeaves.includes(leaf)) {
          throw invalid(`node ${between} does not list leaf ${leaf}`)
        }
      }
    }
  }
}

function invalid(why: string): MlsError {
  return new MlsError('unreadable', `The group’s tree is not valid: ${why}.`)
}
