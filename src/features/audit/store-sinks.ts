import type { Db, Tx } from '../../db/database.ts'
import type { AuditSinkRow } from '../../db/tables.ts'

/** A new sink starts at the beginning of the log. */
export async function addSink(tx: Tx, name: string): Promise<void> {
  await tx
    .insertInto('audit_sinks')
    .values({
      name,
      position: 0,
      checkpoint: 0,
      claimed_by: null,
      claimed_until: '',
      attempts: 0,
      next_try_at: '',
      failing_since: null,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
}

export async function findSink(db: Db, name: string): Promise<AuditSinkRow | undefined> {
  return db.selectFrom('audit_sinks').selectAll().where('name', '=', name).executeTakeFirst()
}

export async function listSinks(db: Db): Promise<AuditSinkRow[]> {
  return db.selectFrom('audit_sinks').selectAll().orderBy('name').execute()
}

/** Claims the sink for one process until `until`; returns undefined while another holds it. */
export async function claimSink(
  tx: Tx,
  name: string,
  by: string,
  now: string,
  until: string,
): Promise<AuditSinkRow | undefined> {
  return tx
    .updateTable('audit_sinks')
    .set({ claimed_by: by, claimed_until: until })
    .where('name', '=', name)
    .where((where) => where.or([where('claimed_until', '<=', now), where('claimed_by', '=', by)]))
    .returningAll()
    .executeTakeFirst()
}

/** Returns false if another process has taken the sink over. */
export async function updateSink(
  tx: Tx,
  name: string,
  by: string,
  change: Partial<Omit<AuditSinkRow, 'name' | 'claimed_by'>>,
): Promise<boolean> {
  const result = await tx
    .updateTable('audit_sinks')
    .set(change)
    .where('name', '=', name)
    .where('claimed_by', '=', by)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
