import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { FriendshipRow } from '../../db/tables.ts'
import { appendEvents } from '../../events/append.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { shownOf } from '../accounts/service.ts'
import { recordAudit } from '../audit/service.ts'
import { friendErrors } from './errors.ts'
import { friendRequestAccepted, friendRequestReceived } from './events.ts'
import { changeForBoth, partPresences, toRequest } from './friendship.ts'
import type {
  Friend,
  FriendId,
  FriendRequest,
  FriendRequestId,
  SendFriendRequest,
} from './schema.ts'
import {
  answerFriendship,
  deleteFriendship,
  findByFriendKey,
  findFriendship,
  findFriendshipById,
  insertFriendship,
  listFriendships,
  pairKey,
  reopenFriendship,
} from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus'>

/**
 * Sends a friend request to the owner of a friend key. There is no directory: a request needs the key. A
 * rejected request is re-opened, with the current caller as its requester.
 */
export async function sendFriendRequest(
  ctx: Needs,
  actor: Actor,
  input: SendFriendRequest,
): Promise<{ request: FriendRequest; reopened: boolean }> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    const other = await findByFriendKey(tx, me.tenantId, input.friendKey)
    if (!other) throw new AppError(friendErrors.friendKeyNotFound)
    if (other.id === me.userId) throw new AppError(friendErrors.cannotFriendSelf)

    const now = toIso(ctx.clock.now())
    const fresh: FriendshipRow = {
      id: ctx.ids.next(),
      tenant_id: me.tenantId,
      pair_key: pairKey(me.userId, other.id),
      requester_id: me.userId,
      addressee_id: other.id,
      status: 'Pending',
      created_at: now,
      responded_at: null,
    }
    const inserted = await insertFriendship(tx, fresh)
    const existing = inserted ? undefined : await findFriendship(tx, me.userId, other.id)
    const reopened =
      existing?.status === 'Rejected' &&
      (await reopenFriendship(tx, existing.id, me.userId, other.id, now))
    if (!inserted && !reopened) throw refusalFor(existing)

    const row = { ...fresh, id: existing?.id ?? fresh.id }
    await appendEvents(ctx, tx, [
      friendRequestReceived(me.tenantId, other.id, toRequest(row, other.id, me.username)),
      ...(await changeForBoth(tx, me.tenantId, me.userId, other.id)),
    ])
    await recordAudit(ctx, tx, actor, {
      type: 'friend.requested',
      target: { type: 'friendship', id: row.id },
      details: { addresseeId: other.id, reopened },
    })
    return { request: toRequest(row, me.userId, other.username), reopened }
  })
}

function refusalFor(existing: FriendshipRow | undefined): AppError {
  switch (existing?.status) {
    case 'Accepted':
      return new AppError(friendErrors.alreadyFriends)
    case 'Blocked':
      return new AppError(commonErrors.forbidden, {}, { audit: { reason: 'blocked' } })
    default:
      return new AppError(friendErrors.requestAlreadyPending)
  }
}

export async function getPendingRequests(
  ctx: Pick<Ctx, 'db'>,
  actor: Actor,
): Promise<FriendRequest[]> {
  const { userId } = requireUser(actor)
  const rows = await listFriendships(ctx.db.read, userId, 'Pending')
  return rows.map((row) => toRequest(row, userId, row.other_username))
}

export async function acceptFriendRequest(
  ctx: Needs,
  actor: Actor,
  input: FriendRequestId,
): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const row = await answerRequest(ctx, tx, me.userId, me.tenantId, input.id, 'Accepted')
    const request = toRequest(row, row.requester_id, me.username)
    await appendEvents(ctx, tx, [
      friendRequestAccepted(me.tenantId, row.requester_id, request),
      ...(await changeForBoth(tx, me.tenantId, me.userId, row.requester_id)),
    ])
    await recordAudit(ctx, tx, actor, {
      type: 'friend.accepted',
      target: { type: 'friendship', id: input.id },
    })
  })
}

export async function rejectFriendRequest(
  ctx: Needs,
  actor: Actor,
  input: FriendRequestId,
): Promise<void> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const row = await answerRequest(ctx, tx, me.userId, me.tenantId, input.id, 'Rejected')
    await appendEvents(ctx, tx, await changeForBoth(tx, me.tenantId, me.userId, row.requester_id))
    await recordAudit(ctx, tx, actor, {
      type: 'friend.rejected',
      target: { type: 'friendship', id: input.id },
    })
  })
}

async function answerRequest(
  ctx: Pick<Ctx, 'clock'>,
  tx: Tx,
  userId: string,
  tenantId: string,
  id: string,
  status: 'Accepted' | 'Rejected',
): Promise<FriendshipRow> {
  const row = await findFriendshipById(tx, tenantId, id)
  const involved = row && (row.addressee_id === userId || row.requester_id === userId)
  // Strangers get the same answer as for an unknown id.
  if (!row || !involved) throw new AppError(commonErrors.notFound)
  if (row.addressee_id !== userId) {
    throw new AppError(commonErrors.forbidden, {}, { audit: { reason: 'not_the_addressee' } })
  }
  const now = toIso(ctx.clock.now())
  const answered = await answerFriendship(tx, id, status, now)
  if (!answered) throw new AppError(friendErrors.notPending)
  return { ...row, status, responded_at: now }
}

/** Newest friendship first. */
export async function getFriends(
  ctx: Pick<Ctx, 'db' | 'presence'>,
  actor: Actor,
): Promise<Friend[]> {
  const { userId } = requireUser(actor)
  const rows = await listFriendships(ctx.db.read, userId, 'Accepted')
  return rows.map((row) => ({
    userId: row.other_id,
    username: row.other_username,
    friendsSince: row.responded_at ?? row.created_at,
    isOnline: ctx.presence.isOnline(row.other_id),
    lastSeenAt: row.last_seen_at,
    ...shownOf(row),
  }))
}

export async function removeFriend(
  ctx: Needs & Pick<Ctx, 'presence'>,
  actor: Actor,
  input: FriendId,
): Promise<void> {
  const { tenantId, userId } = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const id = await deleteFriendship(tx, userId, input.userId)
    if (!id) throw new AppError(commonErrors.notFound)
    await appendEvents(ctx, tx, await changeForBoth(tx, tenantId, userId, input.userId))
    partPresences(ctx, tx, userId, input.userId)
    await recordAudit(ctx, tx, actor, {
      type: 'friend.removed',
      target: { type: 'friendship', id },
      details: { otherId: input.userId },
    })
  })
}
