import type { Ctx } from '../../context.ts'
import type { Person, PersonalData } from '../../db/personal-data.ts'
import { toMissedCall } from './compose.ts'
import { deleteMissedCallsOf, listMissedCalls } from './store.ts'

const PAGE = 500

export const callData: PersonalData<Ctx> = {
  tables: ['missed_calls'],
  async *collect(ctx, person) {
    yield { file: 'missed-calls.json', rows: ownEntries(ctx, person) }
  },
  /** The other sides' entries belong to them. */
  erase: (_ctx, tx, { userId }) => deleteMissedCallsOf(tx, userId),
}

async function* ownEntries(ctx: Pick<Ctx, 'db'>, { userId }: Person) {
  for (let beforeId: string | undefined; ; ) {
    const rows = await listMissedCalls(ctx.db.read, userId, { beforeId, limit: PAGE })
    if (rows.length > 0) yield rows.map(toMissedCall)
    if (rows.length < PAGE) return
    beforeId = rows.at(-1)?.id
  }
}
