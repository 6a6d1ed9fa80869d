import type { Ctx } from '../../context.ts'
import { afterCommit } from '../../db/database.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { endBetween } from '../calls/service.ts'
import { setDmBlocked } from '../conversations/access.ts'
import { friendErrors } from './errors.ts'
import { changeFor, changeForBoth, partPresences } from './friendship.ts'
import type { BlockedPerson, FriendId } from './schema.ts'
import {
  blockPair,
  deleteBlock,
  freePair,
  insertBlock,
  isBlockedBy,
  listBlocked,
  lockPair,
  pairKey,
} from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'calls' | 'presence'>

/**
 * Blocks a person: no requests, direct messages, calls or presence, in either direction, until the blocker
 * unblocks them. The friendship ends and is not restored by unblocking. Shared groups are not affected.
 */
export async function blockUser(ctx: Needs, actor: Actor, input: FriendId): Promise<void> {
  const { tenantId, userId } = requireUser(actor)
  const { userId: otherId } = input
  if (otherId === userId) throw new AppError(friendErrors.cannotBlockSelf)
  await ctx.db.transaction(async (tx) => {
    const other = await findAccountById(tx, tenantId, otherId)
    if (!other) throw new AppError(commonErrors.notFound)
    const now = toIso(ctx.clock.now())
    // Must come first: it makes every other change to this pair wait for this one.
    const before = await blockPair(tx, {
      id: ctx.ids.next(),
      tenant_id: tenantId,
      pair_key: pairKey(userId, otherId),
      requester_id: userId,
      addressee_id: otherId,
      status: 'Blocked',
      created_at: now,
      responded_at: now,
    })
    const block = {
      blocker_id: userId,
      blocked_id: otherId,
      tenant_id: tenantId,
      created_at: now,
    }
    if (!(await insertBlock(tx, block))) return
    await setDmBlocked(tx, tenantId, [userId, otherId], now)
    // Strangers are told nothing: otherwise they would learn that they were blocked, and by whom.
    const wasSeen = before === 'Accepted' || before === 'Pending'
    const events = wasSeen
      ? await changeForBoth(tx, tenantId, userId, otherId)
      : [await changeFor(tx, tenantId, userId, otherId)]
    await appendEvents(ctx, tx, events)
    if (before === 'Accepted') partPresences(ctx, tx, userId, otherId)
    afterCommit(tx, () => endBetween(ctx, userId, otherId))
    await recordAudit(ctx, tx, actor, {
      type: 'friend.blocked',
      target: { type: 'user', id: otherId },
    })
  })
}

/**
 * Removes the caller's own block; one by the other side stays. Once neither is
 * left, they may send requests again.
 */
export async function unblockUser(ctx: Needs, actor: Actor, input: FriendId): Promise<void> {
  const { tenantId, userId } = requireUser(actor)
  const { userId: otherId } = input
  await ctx.db.transaction(async (tx) => {
    const pair = pairKey(userId, otherId)
    await lockPair(tx, pair)
    if (!(await deleteBlock(tx, tenantId, userId, otherId))) {
      throw new AppError(commonErrors.notFound)
    }
    if (!(await isBlockedBy(tx, otherId, userId))) {
      await freePair(tx, pair)
      await setDmBlocked(tx, tenantId, [userId, otherId], null)
    }
    await appendEvents(ctx, tx, [await changeFor(tx, tenantId, userId, otherId)])
    await recordAudit(ctx, tx, actor, {
      type: 'friend.unblocked',
      target: { type: 'user', id: otherId },
    })
  })
}

/** The people whom the caller blocks, newest first. Nobody is told who blocks them. */
export async function getBlocked(ctx: Pick<Ctx, 'db'>, actor: Actor): Promise<BlockedPerson[]> {
  const { tenantId, userId } = requireUser(actor)
  const rows = await listBlocked(ctx.db.read, tenantId, userId)
  return rows.map((row) => ({
    userId: row.blocked_id,
    username: row.username,
    blockedAt: row.created_at,
  }))
}
