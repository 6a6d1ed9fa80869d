import type { Ctx } from '../../context.ts'
import { type Person, type PersonalData, partOf } from '../../db/personal-data.ts'
import { deleteNotesAbout, listNotesAbout } from './store-notes.ts'
import { listEvents } from './store-read.ts'

const PAGE = 500

export const auditData: PersonalData<Ctx> = {
  tables: ['audit_events', 'audit_chain', 'audit_notes'],
  async *collect(ctx, person) {
    yield { file: 'audit.json', rows: ownEvents(ctx, person) }
    const notes = await listNotesAbout(ctx.db.read, person.userId)
    yield* partOf(
      'notes.json',
      notes.map(({ event_id, note }) => ({ event_id, note })),
    )
  },
  /** The log itself holds only ids, addresses and codes, and is kept for its retention period. */
  erase: (_ctx, tx, { userId }) => deleteNotesAbout(tx, userId),
}

async function* ownEvents(ctx: Pick<Ctx, 'db'>, { tenantId, userId }: Person) {
  for (let beforeId: string | undefined; ; ) {
    const page = { actorId: userId, limit: PAGE, ...(beforeId ? { beforeId } : {}) }
    const rows = await listEvents(ctx.db.read, tenantId, page)
    if (rows.length > 0) yield rows
    if (rows.length < PAGE) return
    beforeId = rows.at(-1)?.id
  }
}
