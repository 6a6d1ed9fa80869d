import type { Db } from '../../db/database.ts'
import { whenGiven } from '../../db/when-given.ts'
import { firstIdAt } from '../../platform/ids.ts'
import type { ListAudit } from './schema.ts'

/** Events of a tenant, newest first, each with its place in the chain if it has one yet. */
export async function listEvents(db: Db, tenantId: string, page: ListAudit) {
  const { from, to, type, actorId, beforeId, limit } = page
  return (
    db
      .selectFrom('audit_events as event')
      .leftJoin('audit_chain as link', 'link.event_id', 'event.id')
      .where('event.tenant_id', '=', tenantId)
      .$call(whenGiven(type, (query, type) => query.where('event.type', '=', type)))
      .$call(whenGiven(actorId, (query, actorId) => query.where('event.actor_id', '=', actorId)))
      .$call(whenGiven(beforeId, (query, beforeId) => query.where('event.id', '<', beforeId)))
      // Ids carry their time, so one index serves both.
      .$call(
        whenGiven(from, (query, from) =>
          query.where('event.id', '>=', firstIdAt(Date.parse(from))),
        ),
      )
      .$call(whenGiven(to, (query, to) => query.where('event.id', '<', firstIdAt(Date.parse(to)))))
      .leftJoin('audit_notes as note', 'note.event_id', 'event.id')
      .selectAll('event')
      .select(['link.position', 'link.hash', 'note.note'])
      .orderBy('event.id', 'desc')
      .limit(limit)
      .execute()
  )
}
