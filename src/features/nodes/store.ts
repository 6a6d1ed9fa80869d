import type { Db, Tx } from '../../db/database.ts'
import { lockOnly } from '../../db/lock-only.ts'
import { preparedForMany } from '../../db/prepared.ts'
import type { NodeRow, NodeTermRow, NodeVaultRow } from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'

export async function findVaultRow(db: Db, ownerId: string): Promise<NodeVaultRow | undefined> {
  return db.selectFrom('node_vaults').selectAll().where('owner_id', '=', ownerId).executeTakeFirst()
}

export async function insertVaultRow(tx: Tx, row: NodeVaultRow): Promise<void> {
  await tx
    .insertInto('node_vaults')
    .values(row)
    .onConflict((conflict) => conflict.column('owner_id').doNothing())
    .execute()
}

/** Whether any vault's key is still sealed with this message key. */
export async function isVaultKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('node_vaults')
    .select('owner_id')
    .where('key_id', '=', keyId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

interface Usage {
  readonly nodes: number
  readonly bytes: number
}

/** Adds to what the vault counts; returns false if something that grows would exceed `most`. */
export async function growVault(tx: Tx, ownerId: string, by: Usage, most: Usage): Promise<boolean> {
  const result = await tx
    .updateTable('node_vaults')
    .set((columns) => ({
      node_count: columns('node_count', '+', by.nodes),
      bytes: columns('bytes', '+', by.bytes),
    }))
    .where('owner_id', '=', ownerId)
    .$if(by.nodes > 0, (vault) => vault.where('node_count', '<=', most.nodes - by.nodes))
    .$if(by.bytes > 0, (vault) => vault.where('bytes', '<=', most.bytes - by.bytes))
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Subtracts from what the vault counts. */
export async function shrinkVault(tx: Tx, ownerId: string, by: Usage): Promise<void> {
  await tx
    .updateTable('node_vaults')
    .set((columns) => ({
      node_count: columns('node_count', '-', by.nodes),
      bytes: columns('bytes', '-', by.bytes),
    }))
    .where('owner_id', '=', ownerId)
    .execute()
}

type NewNodeRow = Omit<NodeRow, 'key'>

const insertNodeRows = preparedForMany((db, rows: NewNodeRow[]) =>
  db.insertInto('nodes').values(rows).returningAll(),
)

const insertTermRows = preparedForMany((db, rows: NodeTermRow[]) =>
  db.insertInto('node_terms').values(rows),
)

/** Stores nodes and returns their rows, with keys, in the same order. */
export async function insertNodes(tx: Tx, rows: readonly NewNodeRow[]): Promise<NodeRow[]> {
  const stored = new Map((await insertNodeRows(tx, rows)).map((row) => [row.id, row]))
  return rows.map(({ id }) => stored.get(id) as NodeRow)
}

export async function insertTerms(tx: Tx, rows: readonly NodeTermRow[]): Promise<void> {
  await insertTermRows(tx, rows)
}

/** The owner's nodes with these ids, unordered. */
export async function findNodes(
  db: Db,
  ownerId: string,
  ids: readonly string[],
): Promise<NodeRow[]> {
  return db
    .selectFrom('nodes')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('id', 'in', ids)
    .execute()
}

export async function findNodesByKey(db: Db, keys: readonly number[]): Promise<NodeRow[]> {
  if (keys.length === 0) return []
  return db.selectFrom('nodes').selectAll().where('key', 'in', keys).execute()
}

/** The same nodes, locked until the transaction ends. */
export async function lockNodeRows(
  tx: Tx,
  ownerId: string,
  ids: readonly string[],
): Promise<NodeRow[]> {
  if (ids.length === 0) return []
  return tx
    .updateTable('nodes')
    .set(lockOnly('updated_at'))
    .where('owner_id', '=', ownerId)
    .where('id', 'in', ids)
    .returningAll()
    .execute()
}

/** Those of the nodes that still exist, locked until the transaction ends. */
export async function lockNodeRowsByKey(tx: Tx, keys: readonly number[]): Promise<number[]> {
  if (keys.length === 0) return []
  const rows = await tx
    .updateTable('nodes')
    .set(lockOnly('updated_at'))
    .where('key', 'in', keys)
    .returning('key')
    .execute()
  return rows.map((row) => row.key)
}

export async function updateNode(
  tx: Tx,
  key: number,
  change: Pick<NodeRow, 'sealed' | 'updated_at' | 'completed_at' | 'bytes'>,
): Promise<void> {
  await tx.updateTable('nodes').set(change).where('key', '=', key).execute()
}

export async function deleteTerms(tx: Tx, keys: readonly number[]): Promise<void> {
  await tx.deleteFrom('node_terms').where('node_key', 'in', keys).execute()
}

export async function deleteNodeRows(
  tx: Tx,
  keys: readonly number[],
): Promise<Pick<NodeRow, 'owner_id' | 'bytes'>[]> {
  return tx.deleteFrom('nodes').where('key', 'in', keys).returning(['owner_id', 'bytes']).execute()
}

/** How many nodes the owner has, by type. */
export async function countByType(
  db: Db,
  ownerId: string,
): Promise<{ type: string; count: number }[]> {
  const rows = await db
    .selectFrom('nodes')
    .select((select) => ['type', select.fn.countAll<number>().as('count')])
    .where('owner_id', '=', ownerId)
    .groupBy('type')
    .orderBy('type')
    .execute()
  return rows.map(({ type, count }) => ({ type, count: Number(count) }))
}

/** Keys of the owner's nodes, of one type or all, the oldest first. */
export async function listKeys(
  db: Db,
  ownerId: string,
  type: string | undefined,
  limit: number,
): Promise<number[]> {
  const rows = await db
    .selectFrom('nodes')
    .select('key')
    .where('owner_id', '=', ownerId)
    .$call(whenGiven(type, (query, type) => query.where('type', '=', type)))
    .orderBy('key')
    .limit(limit)
    .execute()
  return rows.map((row) => row.key)
}

/** Most entries of a term that are followed to find nodes that fulfil other conditions too. */
const FOLLOWED = 5_000

export interface TermSearch {
  readonly term: string
  /** The nodes must have these terms too. */
  readonly others?: readonly string[]
  /** Empty: nodes of any type. */
  readonly types: readonly string[]
  readonly limit: number
}

/** The newest nodes that have the term and fulfil the other conditions. */
export async function listKeysByTerm(
  db: Db,
  { term, others = [], types, limit }: TermSearch,
): Promise<number[]> {
  const isAlone = others.length === 0 && types.length === 0
  const newest = db
    .selectFrom('node_terms')
    .select('node_key')
    .where('term', '=', term)
    .orderBy('node_key', 'desc')
    .limit(isAlone ? limit : FOLLOWED)
  let query = db
    .selectFrom(newest.as('entry'))
    .innerJoin('nodes', 'nodes.key', 'entry.node_key')
    .select('entry.node_key')
    .$if(types.length > 0, (some) => some.where('nodes.type', 'in', types))
  for (const other of others) {
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('node_terms as held')
          .select('held.term')
          .where('held.term', '=', other)
          .whereRef('held.node_key', '=', 'entry.node_key'),
      ),
    )
  }
  const rows = await (isAlone
    ? newest
    : query.orderBy('entry.node_key', 'desc').limit(limit)
  ).execute()
  return rows.map((row) => row.node_key)
}

/** Those of the nodes that have the term. */
export async function keepThoseWithTerm(
  db: Db,
  term: string,
  keys: readonly number[],
): Promise<number[]> {
  if (keys.length === 0) return []
  const rows = await db
    .selectFrom('node_terms')
    .select('node_key')
    .where('term', '=', term)
    .where('node_key', 'in', keys)
    .execute()
  return rows.map((row) => row.node_key)
}

/** Nodes of one type, the newest first. */
export async function listNodesOfType(
  db: Db,
  page: { ownerId: string; type: string; limit: number; offset: number },
): Promise<NodeRow[]> {
  return db
    .selectFrom('nodes')
    .selectAll()
    .where('owner_id', '=', page.ownerId)
    .where('type', '=', page.type)
    .orderBy('key', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()
}
