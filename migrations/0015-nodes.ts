import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()
const owner = (column: ColumnDefinitionBuilder) => column.notNull().references('users.id')

/** The well: nodes and edges that people and their AI clients store, separately for each owner. */
export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db

  // The key of an owner's nodes, sealed with the message key; without it none of them opens.
  await schema
    .createTable('node_vaults')
    .addColumn('owner_id', 'text', (column) => owner(column).primaryKey())
    .addColumn('tenant_id', 'text', required)
    .addColumn('key_id', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addColumn('node_count', 'integer', required)
    .execute()

  await schema
    .createTable('nodes')
    .addColumn('key', columns.position.type, columns.position.define)
    .addColumn('tenant_id', 'text', required)
    .addColumn('owner_id', 'text', owner)
    .addColumn('id', 'text', required)
    .addColumn('type', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addColumn('created_at', 'text', required)
    .addColumn('updated_at', 'text', required)
    .addUniqueConstraint('nodes_id', ['owner_id', 'id'])
    .execute()
  await schema.createIndex('nodes_created').on('nodes').columns(['owner_id', 'key']).execute()
  await schema.createIndex('nodes_type').on('nodes').columns(['owner_id', 'type', 'key']).execute()
  await schema
    .createIndex('nodes_updated')
    .on('nodes')
    .columns(['owner_id', 'updated_at', 'key'])
    .execute()

  await schema
    .createTable('node_terms')
    .addColumn('term', 'text', required)
    .addColumn('node_key', columns.position.type, required)
    .addColumn('tenant_id', 'text', required)
    .addPrimaryKeyConstraint('node_terms_key', ['term', 'node_key'])
    .execute()
  await schema.createIndex('node_terms_node').on('node_terms').column('node_key').execute()

  await schema
    .createTable('node_edges')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('owner_id', 'text', owner)
    .addColumn('source_key', columns.position.type, (column) =>
      column.notNull().references('nodes.key'),
    )
    .addColumn('target_key', columns.position.type, (column) =>
      column.notNull().references('nodes.key'),
    )
    .addColumn('type', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addColumn('created_at', 'text', required)
    .addUniqueConstraint('node_edges_ends', ['source_key', 'target_key', 'type'])
    .execute()
  await schema.createIndex('node_edges_target').on('node_edges').column('target_key').execute()

  await schema
    .createTable('node_locks')
    .addColumn('owner_id', 'text', owner)
    .addColumn('node_key', columns.position.type, (column) =>
      column.notNull().references('nodes.key'),
    )
    .addColumn('tenant_id', 'text', required)
    .addColumn('agent_id', 'text', required)
    .addColumn('locked_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addPrimaryKeyConstraint('node_locks_key', ['owner_id', 'node_key'])
    .execute()

  // Destructive actions that need a second, identical request by the same caller.
  await schema
    .createTable('confirmations')
    .addColumn('token_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', owner)
    .addColumn('action', 'text', required)
    .addColumn('input_hash', 'text', required)
    .addColumn('expires_at', 'text', required)
    .execute()
}
