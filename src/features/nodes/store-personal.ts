import type { Db, Tx } from '../../db/database.ts'
import type { NodeEdgeRow, NodeRow } from '../../db/tables.ts'

/** The owner's nodes after a key, in order of creation. */
export async function listNodesOf(
  db: Db,
  ownerId: string,
  after: number,
  limit: number,
): Promise<NodeRow[]> {
  return db
    .selectFrom('nodes')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('key', '>', after)
    .orderBy('key')
    .limit(limit)
    .execute()
}

/** The owner's edges after an id. */
export async function listEdgesOf(
  db: Db,
  ownerId: string,
  after: string,
  limit: number,
): Promise<NodeEdgeRow[]> {
  return db
    .selectFrom('node_edges')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** Deletes everything of the owner, including the vault's key; returns the number of rows. */
export async function deleteAllOf(tx: Tx, ownerId: string): Promise<number> {
  const keys = tx.selectFrom('nodes').select('key').where('owner_id', '=', ownerId)
  const results = [
    await tx.deleteFrom('node_terms').where('node_key', 'in', keys).executeTakeFirst(),
    await tx.deleteFrom('node_locks').where('owner_id', '=', ownerId).executeTakeFirst(),
    await tx.deleteFrom('node_edges').where('owner_id', '=', ownerId).executeTakeFirst(),
    await tx.deleteFrom('nodes').where('owner_id', '=', ownerId).executeTakeFirst(),
    await tx.deleteFrom('confirmations').where('user_id', '=', ownerId).executeTakeFirst(),
    await tx.deleteFrom('node_vaults').where('owner_id', '=', ownerId).executeTakeFirst(),
  ]
  return results.reduce((sum, { numDeletedRows }) => sum + Number(numDeletedRows), 0)
}
