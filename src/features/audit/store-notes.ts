import type { Db, Tx } from '../../db/database.ts'
import type { AuditNoteRow } from '../../db/tables.ts'

export async function insertNote(tx: Tx, row: AuditNoteRow): Promise<void> {
  await tx.insertInto('audit_notes').values(row).execute()
}

export async function listNotesAbout(db: Db, subjectId: string): Promise<AuditNoteRow[]> {
  return db
    .selectFrom('audit_notes')
    .selectAll()
    .where('subject_id', '=', subjectId)
    .orderBy('event_id')
    .execute()
}

export async function deleteNotesAbout(tx: Tx, subjectId: string): Promise<number> {
  const result = await tx
    .deleteFrom('audit_notes')
    .where('subject_id', '=', subjectId)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
