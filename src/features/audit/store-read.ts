import type { Db } from '../../db/database.ts'
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
      .$if(type !== undefined, (query) => query.where('event.type', '=', type as string))
      .$if(actorId !== undefined, (query) => query.where('event.actor_id', '=', actorId as string))
      .$if(beforeId !== undefined, (query) => query.where('event.id', '<', beforeId as string))
      // Ids carry their time, so one index serves both.
      .$if(from !== undefined, (query) =>
        query.where('event.id', '>=', firstIdAt(Date.parse(from as string))),
      )
      .$if(to !== undefined, (query) =>
        query.where('event.id', '<', firstIdAt(Date.parse(to as string))),
      )
      .leftJoin('audit_notes as note', 'note.event_id', 'event.id')
      .selectAll('event')
      .select(['link.position', 'link.hash', 'note.note'])
      .orderBy('event.id', 'desc')
      .limit(limit)
      .execute()
  )
}
