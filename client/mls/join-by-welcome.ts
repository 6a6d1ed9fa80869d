import type { CiphersuiteImpl, ClientState, KeyPackage, PrivateKeyPackage, Welcome } from 'ts-mls'
import { verifyGroupInfoConfirmationTag } from 'ts-mls/groupInfo.js'
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js'
import { deriveKeySchedule } from 'ts-mls/keySchedule.js'
import { pathToRoot } from 'ts-mls/pathSecrets.js'
import {
  mergePrivateKeyPaths,
  type PrivateKeyPath,
  toPrivateKeyPath,
} from 'ts-mls/privateKeyPath.js'
import { findLeafIndex } from 'ts-mls/ratchetTree.js'
import { createSecretTree } from 'ts-mls/secretTree.js'
import { leafToNodeIndex, leafWidth, toLeafIndex } from 'ts-mls/treemath.js'
import { firstCommonAncestor } from 'ts-mls/updatePath.js'
import { decryptGroupInfo, decryptGroupSecrets } from 'ts-mls/welcome.js'
import { MlsError } from '../errors.ts'
import { checkGroupInfo } from './check-group-info.ts'
import { clientConfig } from './config.ts'

/**
 * Joins by a Welcome (RFC 9420 §12.4.3.1) that includes the tree and requires no pre-shared key. Throws
 * `unreadable` if the Welcome is invalid or not for this key package.
 */
export async function joinByWelcomeMessage(
  welcome: Welcome,
  keyPackage: KeyPackage,
  privateKeys: PrivateKeyPackage,
  cs: CiphersuiteImpl,
): Promise<ClientState> {
  const initKey = await cs.hpke.importPrivateKey(privateKeys.initPrivateKey)
  const ref = await makeKeyPackageRef(keyPackage, cs.hash)
  const secrets = await decryptGroupSecrets(initKey, ref, welcome, cs.hpke)
  if (!secrets || secrets.psks.length > 0) throw invalid('it is not for this key package')
  const noPsk = new Uint8Array(cs.kdf.size)
  const groupInfo = await decryptGroupInfo(welcome, secrets.joinerSecret, noPsk, cs)
  if (!groupInfo) throw invalid('it does not open')
  const tree = await checkGroupInfo(groupInfo, keyPackage, cs)
  const leafIndex = findLeafIndex(tree, keyPackage.leafNode)
  if (leafIndex === undefined) throw invalid('this device is not in the tree')

  const leafKey: PrivateKeyPath = {
    leafIndex,
    privateKeys: { [leafToNodeIndex(leafIndex)]: privateKeys.hpkePrivateKey },
  }
  const { groupContext, confirmationTag, signer } = groupInfo
  const { joinerSecret, pathSecret } = secrets
  const common = firstCommonAncestor(tree, leafIndex, toLeafIndex(signer))
  const path = pathSecret && (await pathToRoot(tree, common, pathSecret, cs.kdf))
  if (!(await verifyGroupInfoConfirmationTag(groupInfo, joinerSecret, noPsk, cs))) {
    throw invalid('its confirmation tag is wrong')
  }
  const [keySchedule, encryptionSecret] = await deriveKeySchedule(
    joinerSecret,
    noPsk,
    groupContext,
    cs.kdf,
  )
  return {
    groupContext,
    ratchetTree: tree,
    privatePath: path
      ? mergePrivateKeyPaths(await toPrivateKeyPath(path, leafIndex, cs), leafKey)
      : leafKey,
    signaturePrivateKey: privateKeys.signaturePrivateKey,
    confirmationTag,
    unappliedProposals: {},
    keySchedule,
    secretTree: await createSecretTree(leafWidth(tree.length), encryptionSecret, cs.kdf),
    historicalReceiverData: new Map(),
    groupActiveState: { kind: 'active' },
    clientConfig,
  }
}

function invalid(why: string): MlsError {
  return new MlsError('unreadable', `The Welcome is not valid: ${why}.`)
}
