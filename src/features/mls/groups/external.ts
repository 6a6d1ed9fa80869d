import { createHash } from 'node:crypto'
import type { Tx } from '../../../db/database.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../../policy/actor.ts'
import { didsOf } from '../../atproto/service.ts'
import { recordAudit } from '../../audit/service.ts'
import { blocksAmong } from '../../friends/access.ts'
import { requireEpoch } from '../commits/epoch.ts'
import { type IncomingCommit, readIncoming } from '../commits/incoming.ts'
import { type CommitNeeds, requireInfo } from '../commits/judge.ts'
import { applyToTree } from '../commits/tree.ts'
import { writeCommit } from '../commits/write.ts'
import { mlsErrors } from '../errors.ts'
import { orEarlierAnswer, runIdempotent } from '../once.ts'
import type { ExternalCommit } from '../schema.ts'
import { type Convo, findConvo, lockConvo } from '../store/convos.ts'
import { findDeviceByKey } from '../store/devices.ts'
import { takeInvite } from '../store/invites.ts'
import { listLeaves } from '../store/leaves.ts'
import { findMember, listCurrentMembers } from '../store/members.ts'
import { inTurn } from '../turns.ts'

export interface Rejoined {
  readonly epoch: number
  readonly rejoinedAt: string
  readonly seq: number
}

/**
 * Accepts an external commit, by which a current member's device comes back or a person invited to this
 * conversation joins. Former members cannot come back without an invitation issued to them.
 */
export async function processExternalCommit(
  ctx: CommitNeeds,
  actor: Actor,
  input: ExternalCommit,
  bodyHash: string,
): Promise<Rejoined> {
  const me = requireUser(actor)
  const { convoId, idempotencyKey: key, externalCommit: commit, groupInfo } = input
  const once = { method: 'processExternalCommit', key, bodyHash }
  const { db } = ctx
  return orEarlierAnswer(db.read, me, once, async () => {
    const known = await findConvo(db.read, me.tenantId, convoId)
    if (!known) throw new AppError(mlsErrors.convoNotFound)
    // Checked before the commit is decoded, so that a caller who may not join costs little.
    const member = await findMember(db.read, convoId, me.userId)
    if (member?.left_at !== null && input.psk === undefined) throw notMember(known)
    const given = { commit, ...(groupInfo === undefined ? {} : { groupInfo }) }
    const incoming = await readIncoming(db.read, known, given)
    return inTurn(db, convoId, () =>
      db.transaction((tx) =>
        runIdempotent(ctx, tx, me, once, async () => {
          const convo = await lockConvo(tx, me.tenantId, convoId)
          if (!convo) throw new AppError(mlsErrors.convoNotFound)
          return join(ctx, tx, me, { convo, incoming, psk: input.psk })
        }),
      ),
    )
  })
}

function notMember(convo: Convo): AppError {
  const audit = { reason: 'NotMember', targetType: 'mls_convo', targetId: convo.id }
  return new AppError(mlsErrors.notMember, {}, { audit })
}

interface Joining {
  readonly convo: Convo
  readonly incoming: IncomingCommit
  readonly psk: string | undefined
}

async function join(
  ctx: CommitNeeds,
  tx: Tx,
  me: UserActor,
  { convo, incoming, psk }: Joining,
): Promise<Rejoined> {
  const { facts } = incoming
  const member = await findMember(tx, convo.id, me.userId)
  const isPresent = member?.left_at === null
  if (isPresent) {
    if (convo.allow_external_commits !== 1) throw new AppError(mlsErrors.policyViolation)
  } else await requireInvited(ctx, tx, me, convo, { psk, wasMember: member !== undefined })
  await requireEpoch(tx, convo, facts.epoch)
  if (facts.senderLeaf !== undefined || !facts.leaf || incoming.welcome) {
    throw new AppError(mlsErrors.invalidCommit)
  }
  const did = (await didsOf(ctx, tx, me.tenantId, [me.userId])).get(me.userId)
  const device = await findDeviceByKey(tx, me.userId, facts.leaf.signatureKey)
  if (facts.leaf.identity !== did) throw new AppError(mlsErrors.invalidCommit)
  if (!device) throw new AppError(mlsErrors.deviceNotFound)

  const leaves = await listLeaves(tx, [convo.id])
  const removed = leaves.filter((leaf) => facts.removes.includes(leaf.leaf_index))
  const after = applyToTree(leaves, facts.removes, [{ user_id: me.userId, device_id: device.id }])
  // The commit may remove only the same device's old leaf, and a device has only one leaf. While the tree is
  // unknown, it may remove none: nobody could tell whose it is.
  const isOwn = removed.every((leaf) => leaf.device_id === device.id)
  const isTwice = after.kept.some((leaf) => leaf.device_id === device.id)
  if (removed.length !== facts.removes.length || !isOwn || isTwice) {
    throw new AppError(mlsErrors.invalidCommit)
  }
  const effects = {
    added: { packages: [], owners: new Map() },
    newMembers: isPresent ? [] : [me.userId],
    removedLeaves: facts.removes,
    removedMembers: [],
    leaves: convo.knows_leaves === 1 ? after : undefined,
  }
  await requireInfo(ctx, tx, convo, incoming, effects)
  const { newEpoch, seq } = await writeCommit(ctx, tx, convo, incoming, effects)
  await recordAudit(ctx, tx, me, {
    type: isPresent ? 'mls.member_returned' : 'mls.member_joined',
    target: { type: 'mls_convo', id: convo.id },
    details: { epoch: newEpoch, deviceId: device.id },
  })
  return { epoch: newEpoch, rejoinedAt: toIso(ctx.clock.now()), seq }
}

/** Redeems an invitation to this conversation, which may be restricted to one person. */
async function requireInvited(
  ctx: CommitNeeds,
  tx: Tx,
  me: UserActor,
  convo: Convo,
  { psk, wasMember }: { readonly psk: string | undefined; readonly wasMember: boolean },
): Promise<void> {
  if (psk === undefined) throw notMember(convo)
  if (convo.allow_invites !== 1) throw new AppError(mlsErrors.policyViolation)
  const invite = await takeInvite(tx, convo.id, hashOfPsk(psk), {
    userId: me.userId,
    now: toIso(ctx.clock.now()),
  })
  // A former member needs an invitation that an admin issued to just this person.
  if (!invite || (wasMember && invite.target_id !== me.userId)) {
    throw new AppError(mlsErrors.invalidPsk)
  }
  const present = await listCurrentMembers(tx, convo.id)
  if (present.length >= convo.max_members) throw new AppError(mlsErrors.tooManyMembers)
  const blocks = await blocksAmong(tx, [me.userId, ...present.map((one) => one.user_id)])
  if (blocks.some((pair) => pair.includes(me.userId))) throw new AppError(mlsErrors.policyViolation)
}

/** The SHA-256, in hex, of an invitation's secret. */
export function hashOfPsk(psk: string): string {
  return createHash('sha256').update(Buffer.from(psk, 'hex')).digest('hex')
}
