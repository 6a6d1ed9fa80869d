import { type ColumnDefinitionBuilder, type Kysely, sql } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()
const ofUser = (column: ColumnDefinitionBuilder) => column.notNull().references('users.id')

export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  await auditTables(db, columns)
  await privacyTables(db, columns)
  await emergencyTables(db)
  await db.schema
    .createIndex('messages_deleted')
    .on('messages')
    .column('deleted_at')
    .where(sql.ref('deleted_at'), 'is not', null)
    .execute()
}

async function auditTables(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db
  const position = columns.position.type

  for (const field of ['actor_id', 'type']) {
    await schema
      .createIndex(`audit_events_${field}`)
      .on('audit_events')
      .columns(['tenant_id', field, 'id'])
      .execute()
  }

  await schema
    .createTable('audit_checkpoints')
    // Inserts set this key and that of the prunings, although such a key can also be generated.
    .addColumn('sequence', position, columns.position.define)
    .addColumn('chain_position', position, required)
    .addColumn('chain_hash', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('previous', 'text', required)
    .addColumn('key_id', 'text', required)
    .addColumn('public_key', 'text', required)
    .addColumn('signature', 'text', required)
    .execute()
  await columns.forbidChanges(db, 'audit_checkpoints')

  await schema
    .createTable('audit_prunings')
    .addColumn('chain_position', position, columns.position.define)
    .addColumn('checkpoint', 'integer', required)
    .addColumn('events_before', 'text', required)
    .addColumn('created_at', 'text', required)
    .execute()
  await columns.forbidChanges(db, 'audit_prunings')

  // Rows that a pruning covers may be deleted; all other changes stay forbidden.
  const pruned = (what: string, none: string) =>
    `(select coalesce(max(${what}), ${none}) from audit_prunings)`
  await columns.allowDeletes(db, 'audit_chain', `old.position <= ${pruned('chain_position', '0')}`)
  await columns.allowDeletes(
    db,
    'audit_events',
    `old.created_at < ${pruned('events_before', "''")}`,
  )

  // Free text about events, kept outside the append-only log so that it can be deleted.
  await schema
    .createTable('audit_notes')
    .addColumn('event_id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('subject_id', 'text')
    .addColumn('salt', 'text', required)
    .addColumn('note', 'text', required)
    .execute()
  await schema.createIndex('audit_notes_subject').on('audit_notes').column('subject_id').execute()

  await schema
    .createTable('audit_sinks')
    .addColumn('name', 'text', key)
    .addColumn('position', position, required)
    .addColumn('checkpoint', 'integer', required)
    .addColumn('claimed_by', 'text')
    .addColumn('claimed_until', 'text', required)
    .addColumn('attempts', 'integer', required)
    .addColumn('next_try_at', 'text', required)
    .addColumn('failing_since', 'text')
    .execute()
}

async function privacyTables(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db

  await schema
    .createTable('privacy_exports')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', ofUser)
    .addColumn('state', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('touched_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('done', 'integer', required)
    .addColumn('total', 'integer', required)
    .addColumn('size', columns.position.type, required)
    .addColumn('key_id', 'text', required)
    .addColumn('sealed_key', columns.bytes, required)
    .execute()
  await schema.createIndex('privacy_exports_user').on('privacy_exports').column('user_id').execute()
  await schema
    .createIndex('privacy_exports_state')
    .on('privacy_exports')
    .columns(['state', 'touched_at'])
    .execute()

  await schema
    .createTable('privacy_export_chunks')
    .addColumn('export_id', 'text', (column) => column.notNull().references('privacy_exports.id'))
    .addColumn('position', 'integer', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addPrimaryKeyConstraint('privacy_export_chunks_key', ['export_id', 'position'])
    .execute()

  await schema
    .createTable('privacy_erasures')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', ofUser)
    .addColumn('state', 'text', required)
    .addColumn('delete_messages', 'integer', required)
    .addColumn('created_at', 'text', required)
    .addColumn('due_at', 'text', required)
    .addColumn('finished_at', 'text')
    .execute()
  await schema
    .createIndex('privacy_erasures_due')
    .on('privacy_erasures')
    .columns(['state', 'due_at'])
    .execute()
  await schema
    .createIndex('privacy_erasures_user')
    .on('privacy_erasures')
    .column('user_id')
    .execute()

  await schema
    .createTable('privacy_receipts')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('kind', 'text', required)
    .addColumn('subject', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('counts', 'text', required)
    .execute()

  await schema
    .createTable('consents')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', ofUser)
    .addColumn('purpose', 'text', required)
    .addColumn('version', 'text', required)
    .addColumn('source', 'text', required)
    .addColumn('given_at', 'text', required)
    .addColumn('withdrawn_at', 'text')
    .execute()
  await schema
    .createIndex('consents_user')
    .on('consents')
    .columns(['user_id', 'purpose', 'given_at'])
    .execute()

  await schema
    .createTable('legal_holds')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('subject_type', 'text', required)
    .addColumn('subject_id', 'text', required)
    .addColumn('reason', 'text', required)
    .addColumn('placed_by', 'text', required)
    .addColumn('placed_at', 'text', required)
    .addColumn('lifted_at', 'text')
    .execute()
  await schema
    .createIndex('legal_holds_subject')
    .on('legal_holds')
    .columns(['subject_type', 'subject_id'])
    .execute()
}

async function emergencyTables(db: Kysely<unknown>): Promise<void> {
  const { schema } = db

  await schema
    .createTable('lockdowns')
    .addColumn('id', 'text', key)
    .addColumn('mode', 'text', required)
    .addColumn('started_at', 'text', required)
    .addColumn('lifted_at', 'text')
    .execute()

  await schema
    .createTable('incidents')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('title', 'text', required)
    .addColumn('opened_at', 'text', required)
    .addColumn('closed_at', 'text')
    .addColumn('conclusion', 'text')
    .execute()
}
