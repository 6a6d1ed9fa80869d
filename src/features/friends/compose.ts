import type { Ctx } from '../../context.ts'
import { type Composers, composeEach, type Reader } from '../../events/compose.ts'
import type { FriendRequest } from './schema.ts'
import { toRequest } from './service.ts'
import { findFriendships } from './store.ts'

type Needs = Pick<Ctx, 'db'>

async function requestsOf(
  ctx: Needs,
  ids: readonly string[],
  { userId }: Reader,
): Promise<ReadonlyMap<string, FriendRequest>> {
  const rows = await findFriendships(ctx.db.read, ids)
  return new Map(
    rows.map((row) => {
      const mine = row.requester_id === userId
      const otherId = mine ? row.addressee_id : row.requester_id
      const otherName = mine ? row.addressee_name : row.requester_name
      return [row.id, toRequest(row, userId, otherId, otherName)]
    }),
  )
}

/** Events of friend requests, as the requests are now; one of an ended friendship is gone. */
export const composers = {
  FriendRequestReceived: composeEach(requestsOf, (request) => request),
  FriendRequestAccepted: composeEach(requestsOf, (request) => request),
} satisfies Composers<Needs>
