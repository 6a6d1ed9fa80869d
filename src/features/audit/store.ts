import type { Db, Tx } from '../../db/database.ts'
import { preparedForMany } from '../../db/prepared.ts'
import type { AuditEventRow, AuditLink } from '../../db/tables.ts'

const insert = preparedForMany<AuditEventRow, never>((db, rows) =>
  db.insertInto('audit_events').values(rows),
)

export async function insertAuditEvent(tx: Tx, row: AuditEventRow): Promise<void> {
  await insert(tx, [row])
}

export async function newestLink(db: Db): Promise<AuditLink | undefined> {
  return db
    .selectFrom('audit_chain')
    .selectAll()
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Events with an id of at least `firstId` that have no link yet, oldest first. */
export async function unchainedEvents(
  db: Db,
  firstId: string,
  limit: number,
): Promise<AuditEventRow[]> {
  return db
    .selectFrom('audit_events as event')
    .leftJoin('audit_chain as link', 'link.event_id', 'event.id')
    .where('event.id', '>=', firstId)
    .where('link.event_id', 'is', null)
    .selectAll('event')
    .orderBy('event.id')
    .limit(limit)
    .execute()
}

/** Event ids after `after` in order, each with whether it is linked. */
export async function eventsWithLinks(db: Db, after: string, limit: number) {
  return db
    .selectFrom('audit_events as event')
    .leftJoin('audit_chain as link', 'link.event_id', 'event.id')
    .where('event.id', '>', after)
    .select(['event.id', 'link.event_id as linked'])
    .orderBy('event.id')
    .limit(limit)
    .execute()
}

/** Those of the events that have no link yet. */
export async function unchainedAmong(db: Db, ids: readonly string[]): Promise<AuditEventRow[]> {
  return db
    .selectFrom('audit_events as event')
    .leftJoin('audit_chain as link', 'link.event_id', 'event.id')
    .where('event.id', 'in', ids)
    .where('link.event_id', 'is', null)
    .selectAll('event')
    .orderBy('event.id')
    .execute()
}

export async function countUnchained(db: Db): Promise<number> {
  const row = await db
    .selectFrom('audit_events as event')
    .leftJoin('audit_chain as link', 'link.event_id', 'event.id')
    .where('link.event_id', 'is', null)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

export async function insertLinks(
  tx: Tx,
  links: { event_id: string; previous_hash: string; hash: string }[],
): Promise<void> {
  await tx.insertInto('audit_chain').values(links).execute()
}

export async function countLinksTo(db: Db, position: number): Promise<number> {
  const row = await db
    .selectFrom('audit_chain')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('position', '<=', position)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** The latest time of an event linked up to the position; empty if there is none. */
export async function newestTimeTo(db: Db, position: number): Promise<string> {
  const row = await db
    .selectFrom('audit_chain as link')
    .innerJoin('audit_events as event', 'event.id', 'link.event_id')
    .select((select) => select.fn.max('event.created_at').as('newest'))
    .where('link.position', '<=', position)
    .executeTakeFirst()
  return row?.newest ?? ''
}

/** Deletes links with the events they name; the store refuses if no pruning allows it. */
export async function deleteLinks(
  tx: Tx,
  links: readonly Pick<AuditLink, 'event_id'>[],
): Promise<void> {
  const ids = links.map((link) => link.event_id)
  await tx.deleteFrom('audit_chain').where('event_id', 'in', ids).execute()
  await tx.deleteFrom('audit_events').where('id', 'in', ids).execute()
  await tx.deleteFrom('audit_notes').where('event_id', 'in', ids).execute()
}

/** Links after `position` in order, with the events they name (null for one that no longer exists). */
export async function chainFrom(db: Db, position: number, limit: number) {
  return db
    .selectFrom('audit_chain as link')
    .leftJoin('audit_events as event', 'event.id', 'link.event_id')
    .where('link.position', '>', position)
    .selectAll('event')
    .selectAll('link')
    .orderBy('link.position')
    .limit(limit)
    .execute()
}
