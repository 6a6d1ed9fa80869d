import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { deleteAllOf, listAllFriendships, listBlocksBy } from './store.ts'

export const friendData: PersonalData<Ctx> = {
  tables: ['friendships', 'blocks'],
  async *collect(ctx, { userId }) {
    yield* partOf('friends.json', await listAllFriendships(ctx.db.read, userId))
    yield* partOf('blocks.json', await listBlocksBy(ctx.db.read, userId))
  },
  erase: (_ctx, tx, { userId }) => deleteAllOf(tx, userId),
}
