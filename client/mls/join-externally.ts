import type {
  CiphersuiteImpl,
  ClientState,
  GroupInfo,
  KeyPackage,
  PrivateKeyPackage,
  Proposal,
  PublicMessage,
} from 'ts-mls'
import { exportSecret, nextEpochContext } from 'ts-mls/clientState.js'
import { createConfirmationTag, createContentCommitSignature } from 'ts-mls/framedContent.js'
import { initializeEpoch } from 'ts-mls/keySchedule.js'
import { protectPublicMessage } from 'ts-mls/messageProtectionPublic.js'
import { getCommitSecret, pathToPathSecrets } from 'ts-mls/pathSecrets.js'
import { toPrivateKeyPath, updateLeafKey } from 'ts-mls/privateKeyPath.js'
import { addLeafNode, removeLeafNode } from 'ts-mls/ratchetTree.js'
import { createSecretTree } from 'ts-mls/secretTree.js'
import { treeHashRoot } from 'ts-mls/treeHash.js'
import { leafWidth, nodeToLeafIndex, toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js'
import { createUpdatePath } from 'ts-mls/updatePath.js'
import { MlsError } from '../errors.ts'
import { checkGroupInfo } from './check-group-info.ts'
import { clientConfig } from './config.ts'
import { leafWithKey } from './credential.ts'

const WIRE_FORMAT = 'mls_public_message'

/**
 * Makes the external commit by which a device joins (RFC 9420 §12.4.3.2), and the state after it. The
 * commit also removes the device's old leaf, if it has one. Throws `unreadable` if the GroupInfo is
 * invalid or has no external key.
 */
export async function joinExternally(
  groupInfo: GroupInfo,
  keyPackage: KeyPackage,
  privateKeys: PrivateKeyPackage,
  cs: CiphersuiteImpl,
): Promise<{ publicMessage: PublicMessage; newState: ClientState }> {
  const tree = await checkGroupInfo(groupInfo, keyPackage, cs)
  const { groupContext } = groupInfo
  const externalKey = groupInfo.extensions.find((each) => each.extensionType === 'external_pub')
  if (!externalKey) throw new MlsError('unreadable', 'The GroupInfo has no external key.')
  const { enc: kemOutput, secret: initSecret } = await exportSecret(externalKey.extensionData, cs)

  const former = leafWithKey(tree, keyPackage.leafNode.signaturePublicKey)
  const without = former ? removeLeafNode(tree, toLeafIndex(former.index)) : tree
  const [withLeaf, place] = addLeafNode(without, keyPackage.leafNode)
  const leafIndex = nodeToLeafIndex(place)
  const { signaturePrivateKey } = privateKeys
  const [ratchetTree, path, pathSecrets, leafKey] = await createUpdatePath(
    withLeaf,
    leafIndex,
    groupContext,
    signaturePrivateKey,
    cs,
  )
  const top = pathSecrets.at(-1)
  const commitSecret = top
    ? await getCommitSecret(ratchetTree, toNodeIndex(top.nodeIndex), top.secret, cs.kdf)
    : new Uint8Array(cs.kdf.size)

  const remove: Proposal[] = former
    ? [{ proposalType: 'remove', remove: { removed: former.index } }]
    : []
  const proposals: Proposal[] = [
    ...remove,
    { proposalType: 'external_init', externalInit: { kemOutput } },
  ]
  const { signature, framedContent } = await createContentCommitSignature(
    groupContext,
    WIRE_FORMAT,
    {
      proposals: proposals.map((proposal) => ({ proposalOrRefType: 'proposal', proposal })),
      path,
    },
    { senderType: 'new_member_commit' },
    new Uint8Array(),
    signaturePrivateKey,
    cs.signature,
  )
  const nextContext = await nextEpochContext(
    groupContext,
    WIRE_FORMAT,
    framedContent,
    signature,
    await treeHashRoot(ratchetTree, cs.hash),
    groupInfo.confirmationTag,
    cs.hash,
  )
  const noPsk = new Uint8Array(cs.kdf.size)
  const epoch = await initializeEpoch(initSecret, commitSecret, nextContext, noPsk, cs.kdf)
  const { keySchedule, encryptionSecret } = epoch
  const confirmationTag = await createConfirmationTag(
    keySchedule.confirmationKey,
    nextContext.confirmedTranscriptHash,
    cs.hash,
  )
  const auth = { contentType: 'commit', signature, confirmationTag } as const
  const content = { content: framedContent, auth, wireformat: WIRE_FORMAT } as const
  return {
    publicMessage: await protectPublicMessage(keySchedule.membershipKey, nextContext, content, cs),
    newState: {
      groupContext: nextContext,
      ratchetTree,
      privatePath: updateLeafKey(
        await toPrivateKeyPath(pathToPathSecrets(pathSecrets), leafIndex, cs),
        await cs.hpke.exportPrivateKey(leafKey),
      ),
      signaturePrivateKey,
      confirmationTag,
      unappliedProposals: {},
      keySchedule,
      secretTree: await createSecretTree(leafWidth(ratchetTree.length), encryptionSecret, cs.kdf),
      historicalReceiverData: new Map(),
      groupActiveState: { kind: 'active' },
      clientConfig,
    },
  }
}
