import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { type Person, type PersonalData, partOf } from '../../db/personal-data.ts'
import { appendEvents } from '../../events/append.ts'
import type { AppEvent } from '../../events/event.ts'
import { friendshipChanged } from './events.ts'
import { friendshipsOf, partPresences } from './friendship.ts'
import { deleteAllOf, listAllFriendships, listBlocksBy } from './store.ts'

export const friendData: PersonalData<Ctx> = {
  tables: ['friendships', 'blocks'],
  async *collect(ctx, { userId }) {
    yield* partOf('friends.json', await listAllFriendships(ctx.db.read, userId))
    yield* partOf('blocks.json', await listBlocksBy(ctx.db.read, userId))
  },
  async erase(ctx, tx, person) {
    const events = await endingsFor(ctx, tx, person)
    const count = await deleteAllOf(tx, person.userId)
    await appendEvents(ctx, tx, events)
    return count
  },
}

/** Events for everybody to whom the person was more than a stranger. */
async function endingsFor(ctx: Ctx, tx: Tx, { tenantId, userId }: Person): Promise<AppEvent[]> {
  const events: AppEvent[] = []
  for (const row of await listAllFriendships(tx, userId)) {
    const otherId = row.requester_id === userId ? row.addressee_id : row.requester_id
    const status = (await friendshipsOf(tx, otherId, [userId])).get(userId)?.status
    if (status === 'Accepted') partPresences(ctx, tx, userId, otherId)
    if (status !== 'None') {
      events.push(friendshipChanged(tenantId, otherId, { userId, status: 'None' }))
    }
  }
  return events
}
