import type { Db } from '../../db/database.ts'
import type { AuditEventRow } from '../../db/tables.ts'
import type { ListAudit } from './schema.ts'

/** Events of a tenant, newest first. */
export async function listEvents(
  db: Db,
  tenantId: string,
  { type, beforeId, limit }: ListAudit,
): Promise<AuditEventRow[]> {
  return db
    .selectFrom('audit_events')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .$if(type !== undefined, (query) => query.where('type', '=', type as string))
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId as string))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}
