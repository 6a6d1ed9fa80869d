import type { Ctx } from '../../context.ts'
import { type Composers, composeEach } from '../../events/compose.ts'
import { namesOf } from './list.ts'
import { findSessions } from './store.ts'

type Needs = Pick<Ctx, 'db'>

async function startedOf({ db }: Needs, ids: readonly string[]) {
  const rows = await findSessions(db.read, ids)
  const names = await namesOf(rows)
  return new Map(
    rows.map((row, index) => [
      row.id,
      { sessionId: row.id, name: names[index] as string, createdAt: row.created_at },
    ]),
  )
}

export const composers = {
  SessionStarted: composeEach(startedOf, (started) => started),
  SessionRenamed: composeEach(startedOf, ({ sessionId, name }) => ({ sessionId, name })),
  // The event's own row has everything.
  SessionRevoked: async (_ctx, _reader, events) =>
    events.map(({ subjectId }) => ({ sessionId: subjectId })),
} satisfies Composers<Needs>
