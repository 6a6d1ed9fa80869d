import type { Tx } from '../../../db/database.ts'
import { appendEvents } from '../../../events/append.ts'
import type { AppEvent } from '../../../events/event.ts'
import { toIso } from '../../../platform/clock.ts'
import { convoEvent } from '../events.ts'
import { endMembership } from '../memberships.ts'
import { type Convo, updateConvo } from '../store/convos.ts'
import { findNewestEvent } from '../store/events.ts'
import { deleteLeaves, deleteProposals, insertLeaves } from '../store/leaves.ts'
import { upsertMembers } from '../store/members.ts'
import { insertMessage } from '../store/messages.ts'
import { deliverWelcome } from './deliver-welcome.ts'
import type { IncomingCommit } from './incoming.ts'
import type { CommitNeeds, Effects } from './judge.ts'

export interface Committed {
  readonly newEpoch: number
  readonly seq: number
}

/** Writes a judged commit: message, epoch, members, leaves, Welcomes, GroupInfo and events. */
export async function writeCommit(
  ctx: CommitNeeds,
  tx: Tx,
  convo: Convo,
  incoming: IncomingCommit,
  effects: Effects,
): Promise<Committed> {
  const now = toIso(ctx.clock.now())
  const { id: convoId, tenant_id: tenantId } = convo
  const newEpoch = convo.epoch + 1
  const seq = convo.last_seq + 1
  const place = { tenantId, convoId, seq }
  await insertMessage(tx, {
    convo_id: convoId,
    seq,
    id: ctx.ids.next(),
    tenant_id: tenantId,
    kind: 'commit',
    epoch: newEpoch,
    size: incoming.bytes.length,
    body: incoming.bytes,
    created_at: now,
  })
  const { groupInfo, welcome } = incoming
  await updateConvo(tx, convoId, {
    epoch: newEpoch,
    last_seq: seq,
    last_message_at: now,
    ...(groupInfo ? { group_info: groupInfo.message, group_info_epoch: newEpoch } : {}),
    ...(effects.removedLeaves.length > 0 ? { removal_epoch: newEpoch } : {}),
  })
  await deleteProposals(tx, convoId)
  const { added, newMembers, removedLeaves, removedMembers, leaves } = effects
  await deleteLeaves(tx, convoId, removedLeaves)
  await insertLeaves(
    tx,
    (leaves?.added ?? []).map((leaf) => ({ ...leaf, convo_id: convoId, tenant_id: tenantId })),
  )
  const joined_after = newMembers.length > 0 ? await findNewestEvent(tx, convoId) : 0
  await upsertMembers(
    tx,
    newMembers.map((userId) => ({
      ...{ convo_id: convoId, user_id: userId, tenant_id: tenantId, is_admin: 0 },
      ...{ joined_at: now, joined_seq: seq, joined_epoch: newEpoch, joined_after },
      ...{ left_at: null, left_with: null, promoted_at: null, promoted_by: null },
    })),
  )
  const events: AppEvent[] = [convoEvent(place, 'commit')]
  for (const userId of removedMembers) {
    events.push(convoEvent(place, 'removed', userId, { leaves: [userId] }))
  }
  for (const userId of newMembers) {
    events.push(convoEvent(place, 'joined', userId, { joins: [userId] }))
  }
  if (welcome) {
    events.push(...(await deliverWelcome(ctx, tx, place, newEpoch, added, welcome.bytes)))
  }
  await appendEvents(ctx, tx, events)
  for (const userId of removedMembers) await endMembership(ctx, tx, convoId, userId)
  return { newEpoch, seq }
}
