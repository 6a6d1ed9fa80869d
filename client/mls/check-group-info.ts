import type { CiphersuiteImpl, GroupInfo, KeyPackage, RatchetTree } from 'ts-mls'
import { extensionsSupportedByCapabilities } from 'ts-mls/extension.js'
import { ratchetTreeFromExtension, verifyGroupInfoSignature } from 'ts-mls/groupInfo.js'
import { MlsError } from '../errors.ts'
import { leafAt } from './credential.ts'
import { validateTree } from './validate-tree.ts'

/** Validates a GroupInfo and its tree before joining (RFC 9420 §12.4.3.1); throws `unreadable`. */
export async function checkGroupInfo(
  groupInfo: GroupInfo,
  keyPackage: KeyPackage,
  cs: CiphersuiteImpl,
): Promise<RatchetTree> {
  const { groupContext, signer } = groupInfo
  const tree = ratchetTreeFromExtension(groupInfo)
  const signerLeaf = tree && leafAt(tree, signer)
  if (!tree || !signerLeaf) throw invalid('it comes without the tree, or without its signer')
  if (
    !(await verifyGroupInfoSignature(groupInfo, signerLeaf.node.signaturePublicKey, cs.signature))
  ) {
    throw invalid('it is not signed')
  }
  if (groupContext.cipherSuite !== keyPackage.cipherSuite) throw invalid('it has another suite')
  const { capabilities } = keyPackage.leafNode
  if (!extensionsSupportedByCapabilities(groupContext.extensions, capabilities)) {
    throw invalid('the group uses extensions that this device does not know')
  }
  await validateTree(tree, groupContext, cs)
  return tree
}

function invalid(why: string): MlsError {
  return new MlsError('unreadable', `The GroupInfo is not valid: ${why}.`)
}
