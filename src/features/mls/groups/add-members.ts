import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser } from '../../../policy/actor.ts'
import { recordAudit } from '../../audit/service.ts'
import { changeConvo } from '../change.ts'
import { requireOwners } from '../commits/adding.ts'
import { readIncoming } from '../commits/incoming.ts'
import { type CommitNeeds, judgeCommit } from '../commits/judge.ts'
import { writeCommit } from '../commits/write.ts'
import { mlsErrors } from '../errors.ts'
import type { AddMembers } from '../schema.ts'

export interface AddedMembers {
  readonly success: boolean
  readonly newEpoch: number
  readonly seq: number
}

/**
 * Accepts a member's commit that adds devices or, with an empty `didList`, only updates keys and carries
 * out pending removals. It must not remove a current member.
 */
export async function addMembers(
  ctx: CommitNeeds,
  actor: Actor,
  input: AddMembers,
  bodyHash: string,
): Promise<AddedMembers> {
  const me = requireUser(actor)
  const { convoId, idempotencyKey: key, didList } = input
  return changeConvo(ctx, me, {
    ...{ method: 'addMembers', key, bodyHash, convoId },
    isCommit: true,
    read: (convo) => readIncoming(ctx.db.read, convo, input),
    async write(tx, membership, incoming) {
      const effects = await judgeCommit(ctx, tx, me, membership, incoming)
      requireOwners(ctx, effects.added, didList, mlsErrors.invalidCommit)
      if (effects.removedMembers.length > 0) throw new AppError(mlsErrors.invalidCommit)
      const { convo } = membership
      const { newEpoch, seq } = await writeCommit(ctx, tx, convo, incoming, effects)
      const { added, newMembers } = effects
      await recordAudit(ctx, tx, actor, {
        type: 'mls.members_added',
        target: { type: 'mls_convo', id: convoId },
        details: { epoch: newEpoch, members: newMembers.length, devices: added.packages.length },
      })
      return { success: true, newEpoch, seq }
    },
  })
}
