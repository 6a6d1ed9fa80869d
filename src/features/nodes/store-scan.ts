import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { Db } from '../../db/database.ts'
import { filledUp } from '../../db/prepared.ts'
import type { NodeRow, Tables } from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'

/** A node's position in the order of a scan. */
export interface Place {
  readonly key: number
  readonly updatedAt: string
}

export interface Scan {
  readonly ownerId: string
  readonly types: readonly string[]
  /** Groups of terms: the node must have at least one term of each group. */
  readonly terms: readonly (readonly string[])[]
  /** The only nodes that can match, if they are few enough to be known. */
  readonly among: readonly number[] | undefined
  readonly sort: 'created' | 'updated'
  readonly order: 'asc' | 'desc'
  /** The row after which the scan continues. */
  readonly after: Place | undefined
  /** The last row that it reads. */
  readonly until: Place | undefined
  readonly limit: number
}

type Path = Omit<Scan, 'until' | 'limit'>

/** The owner's nodes that have the terms, in order, one batch at a time. */
export async function scanNodes(db: Db, scan: Scan): Promise<NodeRow[]> {
  const along = termToWalkAlong(scan)
  return along === undefined ? scanOwned(db, scan) : scanAlongTerm(db, scan, along)
}

/** The place `rows` rows after the scan's position, whether or not they match; undefined past the end. */
export async function findPlace(db: Db, path: Path, rows: number): Promise<Place | undefined> {
  const { order, after } = path
  const along = termToWalkAlong(path)
  if (along === undefined) {
    const row = await inOrder(ownedBehind(db, path), path)
      .select(['nodes.key', 'nodes.updated_at'])
      .offset(rows - 1)
      .limit(1)
      .executeTakeFirst()
    return row && { key: row.key, updatedAt: row.updated_at }
  }
  const row = await db
    .selectFrom('node_terms')
    .select('node_key')
    .where('term', '=', along)
    .$call(
      whenGiven(after, (some, after) =>
        some.where('node_key', order === 'asc' ? '>' : '<', after.key),
      ),
    )
    .orderBy('node_key', order)
    .offset(rows - 1)
    .limit(1)
    .executeTakeFirst()
  return row && { key: row.node_key, updatedAt: '' }
}

/** A term's entries are in order of creation, so a scan in that order reads nothing else. */
function termToWalkAlong({ sort, terms, among }: Path): string | undefined {
  if (sort !== 'created' || among) return undefined
  return terms.find((group) => group.length === 1)?.[0]
}

/** Follows the entries of one term; the owner need not be checked, since each owner's terms are their own. */
async function scanAlongTerm(db: Db, scan: Scan, term: string): Promise<NodeRow[]> {
  const { order, after, until } = scan
  let query = db
    .selectFrom('node_terms as entry')
    .innerJoin('nodes', 'nodes.key', 'entry.node_key')
    .selectAll('nodes')
    .where('entry.term', '=', term)
    .$if(scan.types.length > 0, (some) => some.where('nodes.type', 'in', scan.types))
  for (const group of scan.terms) {
    if (group.length !== 1 || group[0] !== term) {
      query = query.where((where) => hasTerm(where, group))
    }
  }
  if (after) query = query.where('entry.node_key', order === 'asc' ? '>' : '<', after.key)
  if (until) query = query.where('entry.node_key', order === 'asc' ? '<=' : '>=', until.key)
  return query.orderBy('entry.node_key', order).limit(scan.limit).execute()
}

async function scanOwned(db: Db, scan: Scan): Promise<NodeRow[]> {
  const { order, until, sort, among } = scan
  let query = ownedBehind(db, scan)
    .selectAll('nodes')
    .$if(scan.types.length > 0, (some) => some.where('nodes.type', 'in', scan.types))
  if (among) query = query.where('nodes.key', 'in', filledUp(among))
  for (const group of scan.terms) query = query.where((where) => hasTerm(where, group))
  if (until) query = query.where(isBeyond(until, sort, order === 'asc' ? '<=' : '>='))
  return inOrder(query, scan).limit(scan.limit).execute()
}

function ownedBehind(db: Db, { ownerId, order, after, sort, types }: Path) {
  // In the index of types, each type is in order of creation.
  const onlyType = types.length === 1 && sort === 'created' ? types[0] : undefined
  const query = db
    .selectFrom('nodes')
    .where('nodes.owner_id', '=', ownerId)
    .$call(whenGiven(onlyType, (some, type) => some.where('nodes.type', '=', type)))
  return after ? query.where(isBeyond(after, sort, order === 'asc' ? '>' : '<')) : query
}

type Where = ExpressionBuilder<Pick<Tables, 'nodes'>, 'nodes'>

function isBeyond({ key, updatedAt }: Place, sort: Scan['sort'], beyond: '<' | '<=' | '>' | '>=') {
  return (where: Where): Expression<SqlBool> =>
    sort === 'created'
      ? where('nodes.key', beyond, key)
      : where(where.refTuple('nodes.updated_at', 'nodes.key'), beyond, where.tuple(updatedAt, key))
}

function inOrder<
  Q extends { orderBy(column: 'nodes.key' | 'nodes.updated_at', order: 'asc' | 'desc'): Q },
>(query: Q, { sort, order }: Path): Q {
  const sorted = sort === 'updated' ? query.orderBy('nodes.updated_at', order) : query
  return sorted.orderBy('nodes.key', order)
}

function hasTerm(where: Where, terms: readonly string[]): Expression<SqlBool> {
  return where.exists(
    (where as ExpressionBuilder<Tables, 'nodes'>)
      .selectFrom('node_terms as held')
      .select('held.term')
      .where('held.term', 'in', terms)
      .whereRef('held.node_key', '=', 'nodes.key'),
  )
}

/** Nodes that have one of the terms, at most `limit`, unordered and possibly with duplicates. */
export async function listKeysByTerms(
  db: Db,
  terms: readonly string[],
  limit: number,
): Promise<number[]> {
  const rows = await db
    .selectFrom('node_terms')
    .select('node_key')
    .where('term', 'in', terms)
    .limit(limit)
    .execute()
  return rows.map((row) => row.node_key)
}

/** The same for the owner's nodes of one of the types. */
export async function listKeysByTypes(
  db: Db,
  ownerId: string,
  types: readonly string[],
  limit: number,
): Promise<number[]> {
  const rows = await db
    .selectFrom('nodes')
    .select('key')
    .where('owner_id', '=', ownerId)
    .where('type', 'in', types)
    .limit(limit)
    .execute()
  return rows.map((row) => row.key)
}
