import type { Tx } from '../../../db/database.ts'
import type { MlsMemberRow } from '../../../db/tables.ts'
import { appendEvents } from '../../../events/append.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../../policy/actor.ts'
import { accountsOf } from '../../atproto/service.ts'
import { recordAudit } from '../../audit/service.ts'
import { type Membership, requireAdmin } from '../access.ts'
import { changeConvo } from '../change.ts'
import { type IncomingCommit, readIncoming } from '../commits/incoming.ts'
import { type CommitNeeds, judgeCommit } from '../commits/judge.ts'
import { writeCommit } from '../commits/write.ts'
import { mlsErrors } from '../errors.ts'
import { convoEvent } from '../events.ts'
import { endMembership } from '../memberships.ts'
import type { RemoveMember } from '../schema.ts'
import { listLeaves } from '../store/leaves.ts'
import { findMember } from '../store/members.ts'

export interface Removed {
  readonly epoch: number
}

/**
 * Removes a member, either with the commit that does it, or without one: then delivery to them stops at
 * once and the others are told that a commit is due. Admins only, except that any member may send the
 * commit for a former member.
 */
export async function removeMember(
  ctx: CommitNeeds,
  actor: Actor,
  input: RemoveMember,
  once: { readonly method: string; readonly bodyHash: string },
): Promise<Removed> {
  const me = requireUser(actor)
  const { convoId, commit, groupInfo } = input
  return changeConvo(ctx, me, {
    ...{ ...once, key: input.idempotencyKey, convoId },
    isCommit: true,
    read: async (convo) =>
      commit === undefined
        ? undefined
        : readIncoming(ctx.db.read, convo, {
            commit,
            ...(groupInfo === undefined ? {} : { groupInfo }),
          }),
    async write(tx, membership, incoming) {
      const member = await findTarget(ctx, tx, me, input)
      const isPresent = member?.left_at === null
      if (isPresent || !incoming) requireAdmin(membership)
      if (!member || (!isPresent && !incoming)) throw new AppError(mlsErrors.targetNotMember)
      const epoch = incoming
        ? await removeByCommit(ctx, tx, me, membership, { incoming, targetId: member.user_id })
        : await removeAtOnce(ctx, tx, membership, member.user_id)
      await recordAudit(ctx, tx, actor, {
        type: 'mls.member_removed',
        target: { type: 'user', id: member.user_id },
        details: { convoId, epoch },
        ...(input.reason ? { note: input.reason } : {}),
      })
      return { epoch }
    },
  })
}

/** The current or former member with this DID; an erased account is found as long as it has a leaf. */
async function findTarget(
  ctx: CommitNeeds,
  tx: Tx,
  me: UserActor,
  { convoId, targetDid }: RemoveMember,
): Promise<MlsMemberRow | undefined> {
  const account = (await accountsOf(ctx, tx, me.tenantId, [targetDid])).get(targetDid)
  if (account?.id === me.userId) throw new AppError(mlsErrors.cannotRemoveSelf)
  const member = account && (await findMember(tx, convoId, account.id))
  if (member) return member
  const leaves = await listLeaves(tx, [convoId])
  const leaf = leaves.find(({ identity }) => identity === targetDid)
  return leaf && findMember(tx, convoId, leaf.user_id)
}

async function removeByCommit(
  ctx: CommitNeeds,
  tx: Tx,
  me: UserActor,
  membership: Membership,
  { incoming, targetId }: { readonly incoming: IncomingCommit; readonly targetId: string },
): Promise<number> {
  const { convo } = membership
  const leaves = await listLeaves(tx, [convo.id])
  const effects = await judgeCommit(ctx, tx, me, membership, incoming)
  // Without the tree the server can only check that the commit removes at least one leaf.
  const known = convo.knows_leaves === 1
  const others = effects.removedMembers.filter((userId) => userId !== targetId)
  const theirs = leaves.filter((leaf) => leaf.user_id === targetId)
  const isWhole = known
    ? theirs.every((leaf) => effects.removedLeaves.includes(leaf.leaf_index)) && theirs.length > 0
    : effects.removedLeaves.length > 0
  if (!isWhole || others.length > 0 || effects.added.packages.length > 0) {
    throw new AppError(mlsErrors.invalidCommit)
  }
  const member = await findMember(tx, convo.id, targetId)
  const removedMembers = member?.left_at === null ? [targetId] : []
  const written = await writeCommit(ctx, tx, convo, incoming, { ...effects, removedMembers })
  return written.newEpoch
}

async function removeAtOnce(
  ctx: CommitNeeds,
  tx: Tx,
  { convo }: Membership,
  userId: string,
): Promise<number> {
  const { id: convoId, tenant_id: tenantId, last_seq: seq, epoch } = convo
  const place = { tenantId, convoId, seq }
  await appendEvents(ctx, tx, [convoEvent(place, 'removed', userId, { leaves: [userId] })])
  await endMembership(ctx, tx, convoId, userId)
  return epoch
}
