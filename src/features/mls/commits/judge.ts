import type { Ctx } from '../../../context.ts'
import type { Tx } from '../../../db/database.ts'
import { AppError } from '../../../platform/errors.ts'
import type { UserActor } from '../../../policy/actor.ts'
import { didsOf } from '../../atproto/service.ts'
import { blocksAmong } from '../../friends/access.ts'
import type { Membership } from '../access.ts'
import { mlsErrors } from '../errors.ts'
import type { Convo } from '../store/convos.ts'
import { type Leaf, listLeaves, listProposals } from '../store/leaves.ts'
import { listCurrentMembers } from '../store/members.ts'
import { type Added, requireAdded } from './adding.ts'
import { requireEpoch } from './epoch.ts'
import type { IncomingCommit } from './incoming.ts'
import { applyToTree, isOrphan, type NewLeaf, requireTree } from './tree.ts'

export type CommitNeeds = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'bus'>

/** A commit's effects, determined under the conversation's lock and not yet written. */
export interface Effects {
  readonly added: Added
  /** Ids of the users who become members. */
  readonly newMembers: readonly string[]
  readonly removedLeaves: readonly number[]
  /** Members who lose their last leaf. */
  readonly removedMembers: readonly string[]
  /** The leaves after the commit; undefined if the server does not know the tree. */
  readonly leaves:
    | { readonly kept: readonly Leaf[]; readonly added: readonly NewLeaf[] }
    | undefined
}

/** Determines the effects of a member's commit; throws if it contradicts the records or is not allowed. */
export async function judgeCommit(
  ctx: CommitNeeds,
  tx: Tx,
  me: UserActor,
  { convo, member }: Membership,
  incoming: IncomingCommit,
): Promise<Effects> {
  const { facts, welcome, hashes } = incoming
  await requireEpoch(tx, convo, facts.epoch)
  const leaves = await listLeaves(tx, [convo.id])
  const members = await listCurrentMembers(tx, convo.id)
  const present = new Set(members.map((one) => one.user_id))
  if (convo.knows_leaves === 1) await requireCommitter(ctx, tx, me, facts, leaves)
  const removedLeaves = await removedBy(tx, convo, incoming)
  const removed = leaves.filter((leaf) => removedLeaves.includes(leaf.leaf_index))
  if (convo.knows_leaves === 1 && removed.length < removedLeaves.length) {
    throw new AppError(mlsErrors.invalidCommit)
  }
  const isFree = (leaf: Leaf) => leaf.user_id === me.userId || isOrphan(leaf, present)
  // Without the tree the server cannot tell who is removed, so such a commit needs an admin.
  const areFree = removed.length === removedLeaves.length && removed.every(isFree)
  if (member.is_admin !== 1 && !areFree) throw new AppError(mlsErrors.notAdmin)

  const { cipher_suite: cipherSuite } = convo
  const added = await requireAdded(ctx, tx, me, {
    refs: facts.adds,
    cipherSuite,
    welcome: welcome?.facts,
    hashes,
  })
  const after = applyToTree(leaves, removedLeaves, added.packages)
  const keptDevices = new Set(after.kept.map((leaf) => leaf.device_id))
  if (added.packages.some((row) => keptDevices.has(row.device_id))) {
    throw new AppError(mlsErrors.alreadyMember)
  }
  const owners = [...added.owners.keys()]
  const newMembers = owners.filter((userId) => !present.has(userId))
  const leftWithLeaf = new Set([...after.kept, ...after.added].map((leaf) => leaf.user_id))
  const removedMembers = [...new Set(removed.map((leaf) => leaf.user_id))].filter(
    (userId) => present.has(userId) && !leftWithLeaf.has(userId),
  )
  await requireMayAdd(tx, { convo, member }, owners, newMembers, present)
  const effects: Effects = {
    added,
    newMembers,
    removedLeaves,
    removedMembers,
    leaves: convo.knows_leaves === 1 ? after : undefined,
  }
  await requireInfo(ctx, tx, convo, incoming, effects)
  return effects
}

/** The committer's leaf must be one of the caller's devices and keep its key and identity. */
async function requireCommitter(
  ctx: CommitNeeds,
  tx: Tx,
  me: UserActor,
  { senderLeaf, leaf }: IncomingCommit['facts'],
  leaves: readonly Leaf[],
): Promise<void> {
  const mine = leaves.find((one) => one.leaf_index === senderLeaf)
  const did = (await didsOf(ctx, tx, me.tenantId, [me.userId])).get(me.userId)
  const isMine = mine?.user_id === me.userId && mine.deleted_at === null
  const stays = !leaf || (leaf.signatureKey === mine?.signature_key && leaf.identity === did)
  if (!isMine || !stays) throw new AppError(mlsErrors.invalidCommit)
}

/** The leaves that a commit removes, by its own proposals or by reference to earlier ones. */
async function removedBy(tx: Tx, convo: Convo, { facts }: IncomingCommit): Promise<number[]> {
  const proposals = facts.references.length > 0 ? await listProposals(tx, convo.id) : []
  const referred = facts.references.map((ref) =>
    proposals.find((one) => one.ref === ref && one.epoch === convo.epoch),
  )
  if (facts.senderLeaf === undefined || referred.includes(undefined)) {
    throw new AppError(mlsErrors.invalidCommit)
  }
  const all = [
    ...facts.removes,
    ...referred.map((one) => (one as { leaf_index: number }).leaf_index),
  ]
  // A commit must not remove the committer's leaf, nor a leaf twice (§12.2).
  if (new Set(all).size < all.length || all.includes(facts.senderLeaf)) {
    throw new AppError(mlsErrors.invalidCommit)
  }
  return all
}

async function requireMayAdd(
  tx: Tx,
  { convo, member }: Membership,
  owners: readonly string[],
  newMembers: readonly string[],
  present: ReadonlySet<string>,
): Promise<void> {
  if (owners.some((userId) => userId !== member.user_id)) {
    if (convo.allow_member_add !== 1 && member.is_admin !== 1)
      throw new AppError(mlsErrors.notAdmin)
  }
  if (newMembers.length === 0) return
  if (present.size + newMembers.length > convo.max_members) {
    throw new AppError(mlsErrors.tooManyMembers)
  }
  const fresh = new Set(newMembers)
  const blocks = await blocksAmong(tx, [...present, ...newMembers])
  if (blocks.some(([one, other]) => fresh.has(one) || fresh.has(other))) {
    throw new AppError(mlsErrors.blockedByMember)
  }
}

/** A GroupInfo sent with a commit must describe the group after that commit. */
export async function requireInfo(
  ctx: CommitNeeds,
  tx: Tx,
  convo: Convo,
  { groupInfo }: Pick<IncomingCommit, 'groupInfo'>,
  { leaves }: Pick<Effects, 'leaves'>,
): Promise<void> {
  if (!groupInfo) return
  if (groupInfo.epoch !== convo.epoch + 1) throw new AppError(mlsErrors.invalidGroupInfo)
  if (leaves) await requireTree(ctx, tx, convo, groupInfo, [...leaves.kept, ...leaves.added])
}
