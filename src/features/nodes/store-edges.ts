import type { Db, Tx } from '../../db/database.ts'
import type { NodeEdgeRow, NodeLockRow } from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'

/** Inserts the edge; returns undefined if the two nodes already have one of this type. */
export async function insertEdge(tx: Tx, row: NodeEdgeRow): Promise<NodeEdgeRow | undefined> {
  return tx
    .insertInto('node_edges')
    .values(row)
    .onConflict((conflict) => conflict.columns(['source_key', 'target_key', 'type']).doNothing())
    .returningAll()
    .executeTakeFirst()
}

export async function findEdge(
  db: Db,
  ends: Pick<NodeEdgeRow, 'source_key' | 'target_key' | 'type'>,
): Promise<NodeEdgeRow | undefined> {
  return db
    .selectFrom('node_edges')
    .selectAll()
    .where('source_key', '=', ends.source_key)
    .where('target_key', '=', ends.target_key)
    .where('type', '=', ends.type)
    .executeTakeFirst()
}

/** Deletes edges of the owner; returns those that existed. */
export async function deleteEdges(
  tx: Tx,
  ownerId: string,
  ids: readonly string[],
): Promise<Pick<NodeEdgeRow, 'id' | 'owner_id' | 'bytes'>[]> {
  return tx
    .deleteFrom('node_edges')
    .where('owner_id', '=', ownerId)
    .where('id', 'in', ids)
    .returning(['id', 'owner_id', 'bytes'])
    .execute()
}

/** Deletes every edge that begins or ends at one of the nodes. */
export async function deleteEdgesOf(
  tx: Tx,
  keys: readonly number[],
): Promise<Pick<NodeEdgeRow, 'owner_id' | 'bytes'>[]> {
  return tx
    .deleteFrom('node_edges')
    .where((where) => where.or([where('source_key', 'in', keys), where('target_key', 'in', keys)]))
    .returning(['owner_id', 'bytes'])
    .execute()
}

export interface EdgesOf {
  readonly keys: readonly number[]
  readonly direction: 'in' | 'out' | 'both'
  readonly type: string | undefined
  readonly limit: number
}

/** Edges that leave the nodes, enter them, or both, oldest first. */
export async function listEdges(
  db: Db,
  { keys, direction, type, limit }: EdgesOf,
): Promise<NodeEdgeRow[]> {
  return db
    .selectFrom('node_edges')
    .selectAll()
    .where((where) =>
      where.or([
        ...(direction === 'in' ? [] : [where('source_key', 'in', keys)]),
        ...(direction === 'out' ? [] : [where('target_key', 'in', keys)]),
      ]),
    )
    .$call(whenGiven(type, (query, type) => query.where('type', '=', type)))
    .orderBy('id')
    .limit(limit)
    .execute()
}

export async function countEdgesOf(db: Db, keys: readonly number[]): Promise<number> {
  const row = await db
    .selectFrom('node_edges')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where((where) => where.or([where('source_key', 'in', keys), where('target_key', 'in', keys)]))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

export async function deleteLocksOf(tx: Tx, keys: readonly number[]): Promise<void> {
  await tx.deleteFrom('node_locks').where('node_key', 'in', keys).execute()
}

export async function findLock(db: Db, key: number): Promise<NodeLockRow | undefined> {
  return db.selectFrom('node_locks').selectAll().where('node_key', '=', key).executeTakeFirst()
}

export async function putLock(tx: Tx, row: NodeLockRow): Promise<void> {
  const { owner_id: _, node_key: __, ...change } = row
  await tx
    .insertInto('node_locks')
    .values(row)
    .onConflict((conflict) => conflict.columns(['owner_id', 'node_key']).doUpdateSet(change))
    .execute()
}

/** Returns false if the agent holds no lock on the node. */
export async function deleteLock(tx: Tx, key: number, agentId: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('node_locks')
    .where('node_key', '=', key)
    .where('agent_id', '=', agentId)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

/** Deletes the owner's expired locks; returns how many there were. */
export async function deleteOutdatedLocks(tx: Tx, ownerId: string, now: string): Promise<number> {
  const result = await tx
    .deleteFrom('node_locks')
    .where('owner_id', '=', ownerId)
    .where('expires_at', '<=', now)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}

/** Those of the nodes that are currently locked by an agent. */
export async function listLocked(db: Db, keys: readonly number[], now: string): Promise<number[]> {
  if (keys.length === 0) return []
  const rows = await db
    .selectFrom('node_locks')
    .select('node_key')
    .where('node_key', 'in', keys)
    .where('expires_at', '>', now)
    .execute()
  return rows.map((row) => row.node_key)
}

/** How many edges begin or end at each of the nodes. */
export async function countEdgesByNode(
  db: Db,
  keys: readonly number[],
): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  if (keys.length === 0) return counts
  for (const end of ['source_key', 'target_key'] as const) {
    const rows = await db
      .selectFrom('node_edges')
      .select((select) => [end, select.fn.countAll<number>().as('count')])
      .where(end, 'in', keys)
      // An edge from a node to itself counts once.
      .$if(end === 'target_key', (edges) => edges.whereRef('source_key', '!=', 'target_key'))
      .groupBy(end)
      .execute()
    for (const row of rows) counts.set(row[end], (counts.get(row[end]) ?? 0) + Number(row.count))
  }
  return counts
}
