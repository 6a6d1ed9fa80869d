import type { Ctx } from '../../../context.ts'
import type { Tx } from '../../../db/database.ts'
import { appendEvents } from '../../../events/append.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../../policy/actor.ts'
import { didsOf } from '../../atproto/service.ts'
import { requireAdmin, requireMembership } from '../access.ts'
import { changeConvo } from '../change.ts'
import { requireEpoch } from '../commits/epoch.ts'
import { readInfoOf } from '../commits/incoming.ts'
import { identifyLeaves, requireTree } from '../commits/tree.ts'
import { mlsErrors } from '../errors.ts'
import { convoEvent } from '../events.ts'
import type { ConvoId } from '../schema.ts'
import { type Convo, findConvo, findGroupInfo, updateConvo } from '../store/convos.ts'
import { listDevicesOfAll } from '../store/devices.ts'
import { findInvite } from '../store/invites.ts'
import { insertLeaves, listLeaves } from '../store/leaves.ts'
import { findMember, listMembers } from '../store/members.ts'
import type { GroupInfoFacts } from '../wire/reading.ts'
import { hashOfPsk } from './external.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'bus'>

/** The GroupInfo of the current epoch, for members and for holders of an invitation. */
export async function getGroupInfo(
  ctx: Needs,
  actor: Actor,
  input: ConvoId & { readonly psk?: string },
) {
  const me = requireUser(actor)
  const { read } = ctx.db
  const convo = await findConvo(read, me.tenantId, input.convoId)
  if (!convo) throw new AppError(mlsErrors.convoNotFound)
  await requireMayJoin(ctx, me, convo, input.psk)
  const found = await findGroupInfo(read, convo.id)
  if (!found) throw new AppError(mlsErrors.groupInfoUnavailable)
  return { ...found, groupInfo: found.groupInfo.toString('base64') }
}

async function requireMayJoin(
  ctx: Needs,
  me: UserActor,
  convo: Convo,
  psk: string | undefined,
): Promise<void> {
  const member = await findMember(ctx.db.read, convo.id, me.userId)
  if (member?.left_at === null) return
  if (psk === undefined) {
    await requireMembership(ctx.db.read, me, convo)
    return
  }
  const who = { userId: me.userId, now: toIso(ctx.clock.now()) }
  const invite = await findInvite(ctx.db.read, convo.id, hashOfPsk(psk), who)
  const isFor = invite !== undefined && (!member || invite.target_id === me.userId)
  if (!isFor || convo.allow_invites !== 1) throw new AppError(mlsErrors.invalidPsk)
}

/** Stores the GroupInfo of the current epoch for devices that have to rejoin. */
export async function updateGroupInfo(
  ctx: Needs,
  actor: Actor,
  input: ConvoId & { readonly groupInfo: string; readonly epoch: number },
): Promise<{ updated: boolean }> {
  const me = requireUser(actor)
  const { convoId, epoch } = input
  return changeConvo(ctx, me, {
    ...{ method: 'updateGroupInfo', key: undefined, bodyHash: '', convoId },
    read: (convo) => readInfoOf(convo, input.groupInfo),
    async write(tx, membership, groupInfo) {
      const { convo } = membership
      await requireEpoch(tx, convo, epoch)
      if (groupInfo?.epoch !== epoch) throw new AppError(mlsErrors.invalidGroupInfo)
      if (convo.knows_leaves === 1) {
        await requireTree(ctx, tx, convo, groupInfo, await listLeaves(tx, [convoId]))
      } else {
        // Later commits are judged by this tree, so only an admin may provide it.
        requireAdmin(membership)
        await learnTree(ctx, tx, convo, groupInfo)
      }
      await updateConvo(tx, convoId, {
        ...{ group_info: groupInfo.message, group_info_epoch: epoch, knows_leaves: 1 },
      })
      const place = { tenantId: me.tenantId, convoId, seq: convo.last_seq }
      await appendEvents(ctx, tx, [convoEvent(place, 'groupInfo')])
      return { updated: true }
    },
  })
}

/**
 * Adopts the leaves of the first GroupInfo from an admin. Each must be a different known device of a
 * member, and every current member must have at least one.
 */
async function learnTree(
  ctx: Needs,
  tx: Tx,
  convo: Convo,
  groupInfo: GroupInfoFacts,
): Promise<void> {
  const members = await listMembers(tx, [convo.id])
  const userIds = members.map((member) => member.user_id)
  const dids = await didsOf(ctx, tx, convo.tenant_id, userIds)
  const devices = await listDevicesOfAll(tx, userIds)
  const leaves = identifyLeaves(convo, groupInfo, devices, dids)
  const inTree = new Set(leaves.map((leaf) => leaf.user_id))
  if (!members.every((one) => one.left_at !== null || inTree.has(one.user_id))) {
    throw new AppError(mlsErrors.invalidGroupInfo)
  }
  await insertLeaves(tx, leaves)
}
