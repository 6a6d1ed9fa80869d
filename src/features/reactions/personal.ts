import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { listReactionsBy } from './store.ts'

export const reactionData: PersonalData<Ctx> = {
  tables: ['message_reactions'],
  async *collect(ctx, { userId }) {
    yield* partOf('reactions.json', await listReactionsBy(ctx.db.read, userId))
  },
  /** An emoji under somebody else's message reveals nothing once its author is anonymous. */
  erase: async () => 0,
}
