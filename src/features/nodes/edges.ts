import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { NodeEdgeRow, NodeRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { nodeErrors } from './errors.ts'
import { requireNode } from './read.ts'
import type { Edge, NewEdge } from './schema.ts'
import { findNodesByKey } from './store.ts'
import { deleteEdges as deleteEdgeRows, findEdge, insertEdge, listEdges } from './store-edges.ts'
import { bytesOf, release, reserve } from './usage.ts'
import { openVault, requireVault, type Vault } from './vault.ts'
import { lockNodes, requireRow, requireSize, type Writing } from './write.ts'

const MAX_EDGES = 1_000

function contextOf(id: string): string {
  return `node-edge:${id}`
}

/** Edges as their owner sees them; an edge is left out if either end is not among the rows. */
export function edgesOf(
  vault: Vault,
  edges: readonly NodeEdgeRow[],
  nodes: ReadonlyMap<number, NodeRow>,
): Edge[] {
  return edges.flatMap((edge) => {
    const source = nodes.get(edge.source_key)
    const target = nodes.get(edge.target_key)
    if (!source || !target) return []
    const properties = vault.open(contextOf(edge.id), edge.sealed)
    return [
      {
        id: edge.id,
        source: source.id,
        target: target.id,
        type: edge.type,
        ...(Object.keys(properties).length > 0 ? { properties } : {}),
        created: edge.created_at,
      },
    ]
  })
}

/** Creates edges between nodes of the caller, all or none; an existing edge stays as it is. */
export async function addEdges(
  ctx: Writing,
  actor: Actor,
  edges: readonly NewEdge[],
): Promise<Edge[]> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    const made = await insertNewEdges(ctx, tx, me, edges)
    await recordAudit(ctx, tx, actor, {
      type: 'node.linked',
      details: { count: made.length },
    })
    return made
  })
}

/** The same in the caller's transaction; the caller records it in the audit log. */
export async function insertNewEdges(
  ctx: Pick<Ctx, 'clock' | 'ids' | 'keyring' | 'config'>,
  tx: Tx,
  me: UserActor,
  edges: readonly NewEdge[],
): Promise<Edge[]> {
  const vault = await openVault(ctx, tx, me)
  // Locked, so that no end of an edge is deleted meanwhile.
  const locked = await lockNodes(tx, me, [
    ...new Set(edges.flatMap(({ source, target }) => [source, target])),
  ])
  const byKey = new Map([...locked.values()].map((row) => [row.key, row]))
  const made: Edge[] = []
  let bytes = 0
  for (const { source, target, type, properties } of edges) {
    requireSize(properties)
    const id = ctx.ids.next()
    const sealed = vault.seal(contextOf(id), properties)
    const row: NodeEdgeRow = {
      id,
      tenant_id: me.tenantId,
      owner_id: me.userId,
      source_key: requireRow(locked, source).key,
      target_key: requireRow(locked, target).key,
      type,
      sealed,
      created_at: toIso(ctx.clock.now()),
      bytes: bytesOf(sealed),
    }
    const inserted = await insertEdge(tx, row)
    bytes += inserted?.bytes ?? 0
    const stored = inserted ?? (await findEdge(tx, row))
    made.push(...edgesOf(vault, stored ? [stored] : [], byKey))
  }
  await reserve(ctx, tx, me.userId, { nodes: 0, bytes })
  return made
}

/** Deletes edges, all or none; returns how many. */
export async function deleteEdges(
  ctx: Writing,
  actor: Actor,
  ids: readonly string[],
): Promise<number> {
  const me = requireUser(actor)
  return ctx.db.transaction(async (tx) => {
    const edges = await deleteEdgeRows(tx, me.userId, ids)
    const gone = new Set(edges.map(({ id }) => id))
    const missing = ids.find((id) => !gone.has(id))
    if (missing !== undefined) throw new AppError(nodeErrors.edgeNotFound, { id: missing })
    await release(tx, { edges })
    await recordAudit(ctx, tx, actor, { type: 'node.unlinked', details: { count: gone.size } })
    return gone.size
  })
}

export interface EdgesOfNode {
  readonly node_id: string
  readonly type?: string | undefined
  readonly direction: 'in' | 'out' | 'both'
}

/** The edges of a node, the oldest first; `truncated` if it has more than are returned. */
export async function getEdges(
  ctx: Pick<Ctx, 'db' | 'keyring'>,
  actor: Actor,
  { node_id, type, direction }: EdgesOfNode,
): Promise<{ edges: Edge[]; truncated: boolean }> {
  const me = requireUser(actor)
  const { key } = await requireNode(ctx.db.read, me, node_id)
  const vault = await requireVault(ctx, ctx.db.read, me)
  const limit = MAX_EDGES + 1
  const found = await listEdges(ctx.db.read, { keys: [key], direction, type, limit })
  const edges = found.slice(0, MAX_EDGES)
  const ends = [...new Set(edges.flatMap((edge) => [edge.source_key, edge.target_key]))]
  const rows = await findNodesByKey(ctx.db.read, ends)
  return {
    edges: edgesOf(vault, edges, new Map(rows.map((row) => [row.key, row]))),
    truncated: found.length > MAX_EDGES,
  }
}
