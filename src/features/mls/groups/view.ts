import type { Ctx } from '../../../context.ts'
import type { Db } from '../../../db/database.ts'
import type { MlsMemberRow } from '../../../db/tables.ts'
import { didsOf } from '../../atproto/service.ts'
import { isOrphan } from '../commits/tree.ts'
import type { Policy } from '../schema.ts'
import type { Convo } from '../store/convos.ts'
import { type Leaf, listLeaves } from '../store/leaves.ts'
import { listMembers } from '../store/members.ts'

export function policyOf(convo: Convo): Policy {
  return {
    allowMemberAdd: convo.allow_member_add === 1,
    allowInvites: convo.allow_invites === 1,
    allowExternalCommits: convo.allow_external_commits === 1,
    maxMembers: convo.max_members,
  }
}

/** Conversations as their members see them, with a fixed number of queries. */
export async function viewConvos(ctx: Pick<Ctx, 'config'>, db: Db, convos: readonly Convo[]) {
  const ids = convos.map(({ id }) => id)
  const members = Map.groupBy(await listMembers(db, ids), (row) => row.convo_id)
  const leaves = Map.groupBy(await listLeaves(db, ids), (row) => row.convo_id)
  const people = [...members.values()].flat()
  const [first] = convos
  const userIds = [
    ...people.flatMap((row) => [row.user_id, ...(row.promoted_by ? [row.promoted_by] : [])]),
    ...convos.map((convo) => convo.creator_id),
  ]
  const dids = first ? await didsOf(ctx, db, first.tenant_id, userIds) : new Map<string, string>()
  return convos.map((convo) =>
    viewOne(convo, members.get(convo.id) ?? [], leaves.get(convo.id) ?? [], dids),
  )
}

function viewOne(
  convo: Convo,
  members: readonly MlsMemberRow[],
  leaves: readonly Leaf[],
  dids: ReadonlyMap<string, string>,
) {
  const present = members.filter((member) => member.left_at === null)
  const presentIds = new Set(present.map((member) => member.user_id))
  const didOf = (userId: string) => dids.get(userId) ?? ''
  const { name, description, last_message_at: lastMessageAt } = convo
  const metadata = { ...(name ? { name } : {}), ...(description ? { description } : {}) }
  return {
    groupId: convo.id,
    creator: didOf(convo.creator_id),
    members: present.map((member) => viewMember(member, leaves, didOf)),
    epoch: convo.epoch,
    cipherSuite: convo.cipher_suite,
    createdAt: convo.created_at,
    ...(lastMessageAt === null ? {} : { lastMessageAt }),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    lastSeq: convo.last_seq,
    floorSeq: convo.floor_seq,
    policy: policyOf(convo),
    pendingRemovals: leaves
      .filter((leaf) => isOrphan(leaf, presentIds))
      .map((leaf) => ({
        did: leaf.identity ?? didOf(leaf.user_id),
        leafIndex: leaf.leaf_index,
      })),
  }
}

function viewMember(
  member: MlsMemberRow,
  leaves: readonly Leaf[],
  didOf: (userId: string) => string,
) {
  const did = didOf(member.user_id)
  const mine = leaves.filter((leaf) => leaf.user_id === member.user_id)
  return {
    did,
    userDid: did,
    joinedAt: member.joined_at,
    isAdmin: member.is_admin === 1,
    ...(member.promoted_at === null ? {} : { promotedAt: member.promoted_at }),
    ...(member.promoted_by === null ? {} : { promotedBy: didOf(member.promoted_by) }),
    devices: mine.map((leaf) => ({ deviceId: leaf.device_id, leafIndex: leaf.leaf_index })),
  }
}
