import type { Ctx } from '../../context.ts'
import type { NodeEdgeRow } from '../../db/tables.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { edgesOf } from './edges.ts'
import { requireNode, toNode } from './read.ts'
import type { Edge, Node } from './schema.ts'
import { findNodesByKey } from './store.ts'
import { listEdges } from './store-edges.ts'
import { requireVault } from './vault.ts'

type Reading = Pick<Ctx, 'db' | 'keyring'>

/** Most nodes that one walk visits; nodes further away are left out. */
const MAX_NODES = 500
/** Most edges read per step. */
const MAX_EDGES = 2_000

export interface Walk {
  readonly node_id: string
  readonly type?: string | undefined
  readonly direction?: 'in' | 'out' | 'both' | undefined
  /** Edges to follow, 1 to 5. */
  readonly depth: number
}

export interface Subgraph {
  readonly nodes: Node[]
  readonly edges: Edge[]
  /** Whether nodes or edges were left out. */
  readonly truncated: boolean
}

/** A node, the nodes reachable from it, nearest first, and the edges between them. */
export async function getSubgraph(ctx: Reading, actor: Actor, walk: Walk): Promise<Subgraph> {
  const me = requireUser(actor)
  const { key } = await requireNode(ctx.db.read, me, walk.node_id)
  const vault = await requireVault(ctx, ctx.db.read, me)
  const { steps, edges, truncated } = await walkFrom(ctx, [key], walk)
  const keys = [...steps.keys()]
  const rows = await findNodesByKey(ctx.db.read, keys)
  const byKey = new Map(rows.map((row) => [row.key, row]))
  return {
    nodes: keys.flatMap((one) => byKey.get(one) ?? []).map((row) => toNode(vault, row)),
    edges: edgesOf(vault, edges, byKey),
    truncated,
  }
}

/** For each of the nodes, the nodes reachable from it with their distance in edges. */
export async function relatedTo(
  ctx: Pick<Ctx, 'db'>,
  keys: readonly number[],
  depth: number,
): Promise<Map<number, { id: string; type: string; distance: number }[]>> {
  const { steps, edges } = await walkFrom(ctx, keys, { depth })
  const rows = await findNodesByKey(ctx.db.read, [...steps.keys()])
  const byKey = new Map(rows.map((row) => [row.key, row]))
  const next = new Map<number, number[]>()
  for (const { source_key, target_key } of edges) {
    next.set(source_key, [...(next.get(source_key) ?? []), target_key])
    next.set(target_key, [...(next.get(target_key) ?? []), source_key])
  }
  return new Map(keys.map((key) => [key, nearest(key, next, depth).flatMap(named)]))

  function named({ key, distance }: { key: number; distance: number }) {
    const row = byKey.get(key)
    return row ? [{ id: row.id, type: row.type, distance }] : []
  }
}

function nearest(start: number, next: Map<number, number[]>, depth: number) {
  const distances = new Map([[start, 0]])
  for (const [key, distance] of distances) {
    if (distance === depth) continue
    for (const other of next.get(key) ?? []) {
      if (!distances.has(other)) distances.set(other, distance + 1)
    }
  }
  return [...distances].slice(1).map(([key, distance]) => ({ key, distance }))
}

/** Breadth-first walk: every node once with its distance, one query per step. */
async function walkFrom(
  ctx: Pick<Ctx, 'db'>,
  keys: readonly number[],
  { depth, type, direction = 'both' }: Omit<Walk, 'node_id'>,
): Promise<{ steps: Map<number, number>; edges: NodeEdgeRow[]; truncated: boolean }> {
  const steps = new Map(keys.map((key) => [key, 0]))
  const edges = new Map<string, NodeEdgeRow>()
  let frontier = [...keys]
  let truncated = false
  for (let step = 1; step <= depth && frontier.length > 0; step++) {
    const limit = MAX_EDGES + 1
    const found = await listEdges(ctx.db.read, { keys: frontier, direction, type, limit })
    truncated ||= found.length > MAX_EDGES
    frontier = []
    for (const edge of found.slice(0, MAX_EDGES)) {
      const ends = [edge.source_key, edge.target_key].filter((key) => !steps.has(key))
      if (steps.size + ends.length > MAX_NODES + keys.length) {
        truncated = true
        continue
      }
      edges.set(edge.id, edge)
      for (const key of ends) {
        steps.set(key, step)
        frontier.push(key)
      }
    }
  }
  return { steps, edges: [...edges.values()], truncated }
}
