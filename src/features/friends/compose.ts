import type { Ctx } from '../../context.ts'
import { type Composers, composeEach, type Reader } from '../../events/compose.ts'
import { friendshipsOf, toNamedRequest } from './friendship.ts'
import type { FriendRequest } from './schema.ts'
import { findFriendships } from './store.ts'

type Needs = Pick<Ctx, 'db'>

async function requestsOf(
  ctx: Needs,
  ids: readonly string[],
  { userId }: Reader,
): Promise<ReadonlyMap<string, FriendRequest>> {
  const rows = await findFriendships(ctx.db.read, ids)
  return new Map(rows.map((row) => [row.id, toNamedRequest(row, userId)]))
}

/** Rebuilds friend events from the current rows; those of an ended friendship are left out. */
export const composers = {
  // If the reader re-opened a rejected request, the reader is no longer its addressee.
  FriendRequestReceived: composeEach(requestsOf, (request) =>
    request.direction === 'Incoming' ? request : undefined,
  ),
  FriendRequestAccepted: composeEach(requestsOf, (request) => request),
  FriendshipChanged: composeEach(
    (ctx, ids, { userId }) => friendshipsOf(ctx.db.read, userId, ids),
    (friendship) => friendship,
  ),
} satisfies Composers<Needs>
