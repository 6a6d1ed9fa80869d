import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { toMissedCall } from './compose.ts'
import { deleteMissedCallsOf, listMissedCalls } from './store.ts'

/** More than there can be: entries are deleted after three months. */
const ALL = 100_000

export const callData: PersonalData<Ctx> = {
  tables: ['missed_calls'],
  async *collect(ctx, { userId }) {
    const rows = await listMissedCalls(ctx.db.read, userId, { limit: ALL })
    yield* partOf('missed-calls.json', rows.map(toMissedCall))
  },
  /** The other sides' entries belong to them. */
  erase: (_ctx, tx, { userId }) => deleteMissedCallsOf(tx, userId),
}
