import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { type Person, type PersonalData, partOf } from '../../db/personal-data.ts'
import { appendEvents } from '../../events/append.ts'
import type { AppEvent } from '../../events/event.ts'
import { friendshipChanged } from './events.ts'
import { partPresences } from './friendship.ts'
import { deleteAllOf, listAllFriendships, listBlockers, listBlocksBy, otherOf } from './store.ts'

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
  const rows = await listAllFriendships(tx, userId)
  const blockers = await listBlockers(tx, userId)
  const events: AppEvent[] = []
  for (const row of rows) {
    const otherId = otherOf(row, userId)
    if (row.status === 'Accepted') partPresences(ctx, tx, userId, otherId)
    // To someone whom the person blocked, the two are strangers already.
    if (row.status === 'Blocked' && !blockers.has(otherId)) continue
    events.push(friendshipChanged(tenantId, otherId, { userId, status: 'None' }))
  }
  return events
}
