import type { Ctx } from '../../context.ts'
import type { NodeRow } from '../../db/tables.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { getEdges } from './edges.ts'
import { requireNode, toNode } from './read.ts'
import type { NodeDetails, NodesOfType, OfType, TypeAndId } from './schema-browse.ts'
import { titled } from './search.ts'
import { countByType, listNodesOfType } from './store.ts'
import { countEdgesByNode, countEdgesOf } from './store-edges.ts'
import { findVault, requireVault, type Vault } from './vault.ts'

type Reading = Pick<Ctx, 'db' | 'keyring'>

/** A page of the caller's nodes of one type, the newest first. */
export async function getNodesOfType(
  ctx: Reading,
  actor: Actor,
  { type, page, limit }: OfType,
): Promise<NodesOfType> {
  const me = requireUser(actor)
  const { userId } = me
  const vault = await findVault(ctx, ctx.db.read, me)
  const counts = await countByType(ctx.db.read, userId)
  const total = counts.find((one) => one.type === type)?.count ?? 0
  const offset = (page - 1) * limit
  const rows = await listNodesOfType(ctx.db.read, { ownerId: userId, type, limit, offset })
  const edges = await countEdgesByNode(
    ctx.db.read,
    rows.map(({ key }) => key),
  )
  return {
    nodes: vault ? rows.map((row) => overviewOf(vault, row, edges.get(row.key) ?? 0)) : [],
    pagination: { page, limit, total, totalPages: Math.ceil(total / limit) },
  }
}

function overviewOf(vault: Vault, row: NodeRow, edgeCount: number): NodesOfType['nodes'][number] {
  const node = toNode(vault, row)
  // This server has no embeddings, but clients of this list read the field.
  return { ...node, displayName: titled(node).title, edgeCount, embeddingCount: 0 }
}

/** A node with its outgoing and incoming edges. */
export async function getNodeDetails(
  ctx: Reading,
  actor: Actor,
  { type, id }: TypeAndId,
): Promise<NodeDetails> {
  const me = requireUser(actor)
  const row = await requireNode(ctx.db.read, me, id, type)
  const vault = await requireVault(ctx, ctx.db.read, me)
  const { edges } = await getEdges(ctx, actor, { node_id: id, direction: 'both' })
  const outgoing = edges.filter(({ source }) => source === id)
  const incoming = edges.filter(({ target }) => target === id)
  const total = await countEdgesOf(ctx.db.read, [row.key])
  return { node: toNode(vault, row), edges: { outgoing, incoming, total } }
}
