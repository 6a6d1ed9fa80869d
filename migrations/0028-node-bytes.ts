import { type Kysely, sql } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

/** Counts what a person's nodes and edges take, for a quota: by row, and as a sum in the vault. */
export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db
  for (const table of ['nodes', 'node_edges']) {
    await schema
      .alterTable(table)
      .addColumn('bytes', 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
  }
  await schema
    .alterTable('node_vaults')
    .addColumn('bytes', columns.position.type, (column) => column.notNull().defaultTo(0))
    .execute()
  // The sealed properties, 400 for the row and 100 for each entry in the index of terms.
  await sql`update nodes set bytes = length(sealed) + 400
    + 100 * (select count(*) from node_terms where node_terms.node_key = nodes.key)`.execute(db)
  await sql`update node_edges set bytes = length(sealed) + 400`.execute(db)
  await sql`update node_vaults set bytes =
    (select coalesce(sum(bytes), 0) from nodes where nodes.owner_id = node_vaults.owner_id)
    + (select coalesce(sum(bytes), 0) from node_edges where node_edges.owner_id = node_vaults.owner_id)`.execute(
    db,
  )
}
