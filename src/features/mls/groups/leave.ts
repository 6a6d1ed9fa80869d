import type { Ctx } from '../../../context.ts'
import type { Tx } from '../../../db/database.ts'
import { appendEvents } from '../../../events/append.ts'
import type { AppEvent } from '../../../events/event.ts'
import { fromBase64 } from '../../../platform/base64.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../../policy/actor.ts'
import { didsOf } from '../../atproto/service.ts'
import { recordAudit } from '../../audit/service.ts'
import type { Membership } from '../access.ts'
import { changeConvo } from '../change.ts'
import { requireEpoch } from '../commits/epoch.ts'
import type { CommitNeeds } from '../commits/judge.ts'
import { mlsErrors } from '../errors.ts'
import { convoEvent } from '../events.ts'
import { endMembership } from '../memberships.ts'
import type { LeaveConvo } from '../schema.ts'
import type { Convo } from '../store/convos.ts'
import { insertProposals, listLeaves } from '../store/leaves.ts'
import { listCurrentMembers } from '../store/members.ts'
import { advanceSeq, insertMessage } from '../store/messages.ts'
import { type RemoveProposalFacts, readRemoveProposal } from '../wire/reading.ts'
import { removeMember } from './remove.ts'

export interface Left {
  readonly success: boolean
  readonly newEpoch: number
}

interface Proposal {
  readonly bytes: Buffer
  readonly facts: RemoveProposalFacts
}

/** Leaves the conversation or, if `targetDid` is another person, removes them like `removeMember`. */
export async function leaveConvo(
  ctx: CommitNeeds,
  actor: Actor,
  input: LeaveConvo,
  bodyHash: string,
): Promise<Left> {
  const me = requireUser(actor)
  const { convoId, targetDid, commit, groupInfo, idempotencyKey: key } = input
  const mine = (await didsOf(ctx, ctx.db.read, me.tenantId, [me.userId])).get(me.userId)
  const once = { method: 'leaveConvo', bodyHash }
  if (targetDid !== undefined && targetDid !== mine) {
    const removal = {
      ...{ convoId, targetDid },
      ...(commit === undefined ? {} : { commit }),
      ...(groupInfo === undefined ? {} : { groupInfo }),
      ...(key === undefined ? {} : { idempotencyKey: key }),
    }
    const { epoch } = await removeMember(ctx, actor, removal, once)
    return { success: true, newEpoch: epoch }
  }
  return changeConvo(ctx, me, {
    ...{ ...once, key, convoId },
    read: (convo) => readProposals(convo, input),
    async write(tx, membership, proposals) {
      await requireOthers(tx, membership)
      const events = await storeProposals(ctx, tx, me, membership.convo, proposals)
      const { epoch, last_seq } = membership.convo
      const place = { tenantId: me.tenantId, convoId, seq: last_seq + proposals.length }
      const left = convoEvent(place, 'left', me.userId, { leaves: [me.userId] })
      await appendEvents(ctx, tx, [...events, left])
      await endMembership(ctx, tx, convoId, me.userId)
      await recordAudit(ctx, tx, actor, {
        type: 'mls.member_left',
        target: { type: 'mls_convo', id: convoId },
        details: { epoch },
      })
      return { success: true, newEpoch: epoch }
    },
  })
}

/** The leaver's Remove proposals, for another member to commit (RFC 9420 §12.2). */
async function readProposals(convo: Convo, input: LeaveConvo): Promise<Proposal[]> {
  const texts = [...(input.commit === undefined ? [] : [input.commit]), ...(input.proposals ?? [])]
  const proposals: Proposal[] = []
  for (const text of texts) {
    const bytes = fromBase64(text, mlsErrors.invalidProposal)
    const facts = await readRemoveProposal(bytes, convo.cipher_suite)
    if (facts?.groupId !== convo.id) throw new AppError(mlsErrors.invalidProposal)
    proposals.push({ bytes, facts })
  }
  return proposals
}

async function requireOthers(tx: Tx, { convo, member }: Membership): Promise<void> {
  const members = await listCurrentMembers(tx, convo.id)
  const others = members.filter((one) => one.user_id !== member.user_id)
  if (others.length === 0) throw new AppError(mlsErrors.lastMember)
  if (member.is_admin === 1 && !others.some((one) => one.is_admin === 1)) {
    throw new AppError(mlsErrors.lastAdmin)
  }
}

async function storeProposals(
  ctx: Pick<Ctx, 'clock' | 'ids'>,
  tx: Tx,
  me: UserActor,
  convo: Convo,
  proposals: readonly Proposal[],
): Promise<AppEvent[]> {
  const { id: convoId, tenant_id, epoch, last_seq } = convo
  const mine = (await listLeaves(tx, [convoId])).filter((leaf) => leaf.user_id === me.userId)
  const isMine = (index: number) =>
    convo.knows_leaves !== 1 || mine.some((leaf) => leaf.leaf_index === index)
  const now = toIso(ctx.clock.now())
  const events: AppEvent[] = []
  for (const [index, { bytes, facts }] of proposals.entries()) {
    await requireEpoch(tx, convo, facts.epoch)
    if (!isMine(facts.senderLeaf) || !isMine(facts.removed)) {
      throw new AppError(mlsErrors.invalidProposal)
    }
    const seq = last_seq + 1 + index
    await insertMessage(tx, {
      ...{ convo_id: convoId, seq, id: ctx.ids.next(), tenant_id, kind: 'proposal' as const },
      ...{ epoch, size: bytes.length, body: bytes, created_at: now },
    })
    events.push(convoEvent({ tenantId: tenant_id, convoId, seq }, 'proposal'))
  }
  if (proposals.length > 0) await advanceSeq(tx, convoId, last_seq + proposals.length, now)
  await insertProposals(
    tx,
    proposals.map(({ facts }) => ({
      ...{ convo_id: convoId, ref: facts.ref, tenant_id, epoch, leaf_index: facts.removed },
    })),
  )
  return events
}
