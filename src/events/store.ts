import type { Db, Tx } from '../db/database.ts'

/** The position of the newest event of all; events that are written later have a greater one. */
export async function newestPosition(db: Db): Promise<number> {
  const row = await db
    .selectFrom('events')
    .select((select) => select.fn.max('position').as('position'))
    .executeTakeFirst()
  return row?.position ?? 0
}

/** Takes up to `most` of the oldest events away, as far as they were written before the time. */
export async function deleteEventsBefore(tx: Tx, before: string, most: number): Promise<number> {
  // Read in the order of the key, so that the look ends at the first event that stays.
  const oldest = await tx
    .selectFrom('events')
    .select(['position', 'created_at'])
    .orderBy('position')
    .limit(most)
    .execute()
  const outdated = oldest.filter((event) => event.created_at < before)
  const last = outdated.at(-1)
  if (!last) return 0
  await tx.deleteFrom('events').where('position', '<=', last.position).execute()
  // Remembered, so that a device that has not seen them hears that it must start anew.
  const until = outdated.reduce((latest, { created_at: at }) => (at > latest ? at : latest), '')
  await tx
    .updateTable('event_log')
    .set({ pruned_until: until })
    .where('pruned_until', '<', until)
    .execute()
  return outdated.length
}

/** Takes the events away that one audience alone was told. */
export async function deleteEventsFor(tx: Tx, audienceId: string): Promise<void> {
  await tx.deleteFrom('events').where('audience_id', '=', audienceId).execute()
}
