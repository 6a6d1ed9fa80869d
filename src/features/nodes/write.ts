import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { isConflict } from '../../db/errors.ts'
import type { NodeRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { randomToken } from '../../platform/tokens.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { completionOf } from './completion.ts'
import { nodeErrors } from './errors.ts'
import { contextOf, toNode } from './read.ts'
import {
  type NewNode,
  type Node,
  type NodeChange,
  PROPERTIES_MAX_BYTES,
  type Properties,
} from './schema.ts'
import {
  deleteNodeRows,
  deleteTerms,
  insertNodes,
  insertTerms,
  lockNodeRows,
  updateNode,
} from './store.ts'
import { deleteEdgesOf, deleteLocksOf } from './store-edges.ts'
import { termsOf } from './terms.ts'
import { bytesOf, release, reserve } from './usage.ts'
import { openVault, type Vault } from './vault.ts'

export type Writing = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config'>

/** As many nodes as the caller gave, in the same order. */
type NodeForEach<T extends readonly unknown[]> = { readonly [I in keyof T]: Node }

/** Creates nodes, all or none. Throws `node_id_taken` if the owner already has a node with that id. */
export async function addNodes<const T extends readonly NewNode[]>(
  ctx: Writing,
  actor: Actor,
  nodes: T,
): Promise<NodeForEach<T>> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    const made = await insertNewNodes(ctx, tx, me, nodes)
    await recordAudit(ctx, tx, actor, {
      type: 'node.created',
      ...targetOf(made.map(({ id }) => id)),
      details: { count: made.length },
    })
    return made
  })
}

/** The same in the caller's transaction; the caller records it in the audit log. */
export async function insertNewNodes<const T extends readonly NewNode[]>(
  ctx: Pick<Ctx, 'clock' | 'ids' | 'keyring' | 'config'>,
  tx: Tx,
  me: UserActor,
  nodes: T,
): Promise<NodeForEach<T>> {
  const vault = await openVault(ctx, tx, me)
  const now = ctx.clock.now()
  const drafts = nodes.map(({ id: name, type, properties }) => {
    const id = name ?? `${type}-${randomToken(6).replaceAll(/[-_]/g, '0')}-${now}`
    const named = { tenant_id: me.tenantId, owner_id: me.userId, id, type }
    const { terms, ...content } = contentOf(vault, named, merge({}, properties), now)
    return { terms, row: { ...named, ...content, created_at: content.updated_at } }
  })
  const rows = drafts.map(({ row }) => row)
  await reserve(ctx, tx, me.userId, { nodes: rows.length, bytes: sumOf(rows) })
  const stored = await insertNodes(tx, rows).catch((error: unknown) => {
    throw isConflict(error) ? new AppError(nodeErrors.idTaken) : error
  })
  await indexNodes(
    tx,
    vault,
    stored.map(({ key }, index) => ({ key, terms: drafts[index]?.terms ?? [] })),
  )
  return stored.map((row) => toNode(vault, row)) as unknown as NodeForEach<T>
}

interface Content extends Pick<NodeRow, 'sealed' | 'bytes' | 'updated_at' | 'completed_at'> {
  readonly terms: readonly string[]
}

/** What is stored of a node that has these properties from now on. */
function contentOf(
  vault: Vault,
  node: Pick<NodeRow, 'owner_id' | 'id' | 'type'>,
  properties: Properties,
  now: number,
): Content {
  requireSize(properties)
  const sealed = vault.seal(contextOf(node), properties)
  const terms = termsOf(vault, properties)
  return {
    terms,
    sealed,
    bytes: bytesOf(sealed, terms),
    updated_at: toIso(now),
    completed_at: completionOf(node.type, properties, now),
  }
}

function sumOf(rows: Iterable<Pick<NodeRow, 'bytes'>>): number {
  let sum = 0
  for (const { bytes } of rows) sum += bytes
  return sum
}

export function requireSize(properties: Properties): void {
  if (Buffer.byteLength(JSON.stringify(properties)) > PROPERTIES_MAX_BYTES) {
    throw new AppError(nodeErrors.tooLarge)
  }
}

async function indexNodes(
  tx: Tx,
  vault: Vault,
  nodes: readonly { readonly key: number; readonly terms: readonly string[] }[],
): Promise<void> {
  const rows = nodes.flatMap(({ key: node_key, terms }) =>
    terms.map((term) => ({ term, node_key, tenant_id: vault.tenantId })),
  )
  // In index order: hashed terms are spread over the whole index, and this visits each page only once.
  rows.sort((a, b) => (a.term < b.term ? -1 : Number(a.term > b.term)))
  await insertTerms(tx, rows)
}

/** Merges properties into nodes, all or none. */
export async function changeNodes<const T extends readonly NodeChange[]>(
  ctx: Writing,
  actor: Actor,
  changes: T,
): Promise<NodeForEach<T>> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    const changed = await mergeInto(ctx, tx, me, changes)
    await recordAudit(ctx, tx, actor, {
      type: 'node.changed',
      ...targetOf(changed.map(({ id }) => id)),
      details: { count: changed.length },
    })
    return changed
  })
}

/** The same in the caller's transaction; the caller records it in the audit log. */
export async function mergeInto<const T extends readonly NodeChange[]>(
  ctx: Pick<Ctx, 'clock' | 'keyring' | 'config'>,
  tx: Tx,
  me: UserActor,
  changes: T,
): Promise<NodeForEach<T>> {
  const vault = await openVault(ctx, tx, me)
  const before = await lockNodes(tx, me, [...new Set(changes.map(({ id }) => id))])
  const after = new Map(before)
  const contents = new Map<number, Content>()
  const nodes = changes.map(({ id, properties }) => {
    const row = requireRow(after, id)
    const merged = merge(vault.open(contextOf(row), row.sealed), properties)
    const content = contentOf(vault, row, merged, ctx.clock.now())
    const { terms: _, ...change } = content
    const changed = { ...row, ...change }
    after.set(id, changed)
    contents.set(row.key, content)
    return toNode(vault, changed)
  })
  const bytes = sumOf(after.values()) - sumOf(before.values())
  await reserve(ctx, tx, me.userId, { nodes: 0, bytes })
  for (const [key, { terms: _, ...change }] of contents) await updateNode(tx, key, change)
  await deleteTerms(tx, [...contents.keys()])
  await indexNodes(
    tx,
    vault,
    [...contents].map(([key, { terms }]) => ({ key, terms })),
  )
  return nodes as unknown as NodeForEach<T>
}

/** Named properties are replaced; null removes one (RFC 7396, for one level). */
function merge(before: Properties, change: Properties): Properties {
  return Object.fromEntries(
    Object.entries({ ...before, ...change }).filter(([, value]) => value !== null),
  )
}

/** Those of the nodes that exist, by id, locked against other writers. */
export async function lockNodes(
  tx: Tx,
  me: UserActor,
  ids: readonly string[],
): Promise<Map<string, NodeRow>> {
  return new Map((await lockNodeRows(tx, me.userId, ids)).map((row) => [row.id, row]))
}

/** One of them; throws `node_not_found` if it does not exist. */
export function requireRow(locked: ReadonlyMap<string, NodeRow>, id: string): NodeRow {
  const row = locked.get(id)
  if (!row) throw new AppError(nodeErrors.nodeNotFound, { id })
  return row
}

export interface Deleted<T extends readonly string[]> {
  /** What they were, for each of the ids. */
  readonly nodes: NodeForEach<T>
  /** Without repetitions. */
  readonly count: number
  readonly edges: number
}

/** Deletes nodes with their edges and locks, all or none. */
export async function deleteNodes<const T extends readonly string[]>(
  ctx: Writing,
  actor: Actor,
  ids: T,
): Promise<Deleted<T>> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    const vault = await openVault(ctx, tx, me)
    const locked = await lockNodes(tx, me, ids)
    const nodes = ids.map((id) => toNode(vault, requireRow(locked, id))) as NodeForEach<T>
    const rows = [...locked.values()]
    const edges = await deleteLocked(
      tx,
      rows.map(({ key }) => key),
    )
    await recordAudit(ctx, tx, actor, {
      type: 'node.deleted',
      ...targetOf(rows.map(({ id }) => id)),
      details: { count: rows.length, edges },
    })
    return { nodes, count: rows.length, edges }
  })
}

/** Deletes nodes that the transaction has locked, with all that depends on them; returns the number of edges. */
export async function deleteLocked(tx: Tx, keys: readonly number[]): Promise<number> {
  if (keys.length === 0) return 0
  const edges = await deleteEdgesOf(tx, keys)
  await deleteLocksOf(tx, keys)
  await deleteTerms(tx, keys)
  await release(tx, { nodes: await deleteNodeRows(tx, keys), edges })
  return edges.length
}

/** The audit log names a single node; of several it records only the number. */
export function targetOf(ids: readonly string[]): { target?: { type: string; id: string } } {
  const [id] = ids
  return ids.length === 1 && id ? { target: { type: 'node', id } } : {}
}
