import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { listPinsBy } from './store.ts'

export const pinData: PersonalData<Ctx> = {
  tables: ['message_pins'],
  async *collect(ctx, { userId }) {
    yield* partOf('pins.json', await listPinsBy(ctx.db.read, userId))
  },
  /** A pin belongs to the conversation. */
  erase: async () => 0,
}
