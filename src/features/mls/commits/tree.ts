import type { Ctx } from '../../../context.ts'
import type { Db } from '../../../db/database.ts'
import type { MlsDeviceRow, MlsLeafRow } from '../../../db/tables.ts'
import { AppError } from '../../../platform/errors.ts'
import { didsOf } from '../../atproto/service.ts'
import { mlsErrors } from '../errors.ts'
import type { Convo } from '../store/convos.ts'
import { listDevicesById } from '../store/devices.ts'
import type { Leaf } from '../store/leaves.ts'
import type { GroupInfoFacts, LeafFacts } from '../wire/reading.ts'

/** A leaf of the tree after a commit. */
export type NewLeaf = Pick<Leaf, 'leaf_index' | 'user_id' | 'device_id' | 'identity'>

/** Whether a leaf still has to be removed: its owner is no longer a member, or its device was deleted. */
export function isOrphan(leaf: Leaf, present: ReadonlySet<string>): boolean {
  return leaf.deleted_at !== null || !present.has(leaf.user_id)
}

/**
 * Applies a commit to the tree as in RFC 9420 §12.3: removals first, then each addition at the leftmost
 * free leaf (§7.7), so that the server and all members arrive at the same indices.
 */
export function applyToTree(
  leaves: readonly Leaf[],
  removes: readonly number[],
  adds: readonly { readonly user_id: string; readonly device_id: string }[],
): { readonly kept: readonly Leaf[]; readonly added: readonly NewLeaf[] } {
  const gone = new Set(removes)
  const kept = leaves.filter((leaf) => !gone.has(leaf.leaf_index))
  const taken = new Set(kept.map((leaf) => leaf.leaf_index))
  let free = 0
  const added = adds.map(({ user_id, device_id }) => {
    while (taken.has(free)) free += 1
    taken.add(free)
    return { leaf_index: free, user_id, device_id, identity: null }
  })
  return { kept, added }
}

/**
 * The leaves of a tree that the server sees for the first time. Throws `InvalidGroupInfo` unless each is a
 * different one of these devices, under its owner's DID.
 */
export function identifyLeaves(
  convo: Pick<Convo, 'id' | 'tenant_id'>,
  groupInfo: GroupInfoFacts,
  devices: readonly MlsDeviceRow[],
  dids: ReadonlyMap<string, string>,
): MlsLeafRow[] {
  const unseen = new Map(
    devices.map((one) => [`${dids.get(one.user_id)} ${one.signature_key}`, one]),
  )
  return [...(groupInfo.leaves ?? [])].map(([leaf_index, { identity, signatureKey }]) => {
    const name = `${identity} ${signatureKey}`
    const device = unseen.get(name)
    if (!device) throw new AppError(mlsErrors.invalidGroupInfo)
    unseen.delete(name)
    return {
      ...{ convo_id: convo.id, leaf_index, tenant_id: convo.tenant_id },
      ...{ user_id: device.user_id, device_id: device.id, identity: null },
    }
  })
}

/** Throws `InvalidGroupInfo` if the tree's leaves differ from those that the server knows. */
export async function requireTree(
  ctx: Pick<Ctx, 'config'>,
  db: Db,
  convo: Convo,
  groupInfo: GroupInfoFacts,
  leaves: readonly NewLeaf[],
): Promise<void> {
  const inTree = groupInfo.leaves ?? new Map<number, LeafFacts>()
  if (inTree.size !== leaves.length) throw new AppError(mlsErrors.invalidGroupInfo)
  const devices = await listDevicesById(
    db,
    leaves.map((leaf) => leaf.device_id),
  )
  const keys = new Map(devices.map((device) => [device.id, device.signature_key]))
  const userIds = leaves.map((leaf) => leaf.user_id)
  const dids = await didsOf(ctx, db, convo.tenant_id, userIds)
  for (const leaf of leaves) {
    const facts = inTree.get(leaf.leaf_index)
    const did = leaf.identity ?? dids.get(leaf.user_id)
    const isSame = facts?.signatureKey === keys.get(leaf.device_id) && facts?.identity === did
    if (!isSame) throw new AppError(mlsErrors.invalidGroupInfo)
  }
}
