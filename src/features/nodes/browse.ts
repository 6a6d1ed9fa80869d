import type { Ctx } from '../../context.ts'
import type { NodeRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { getEdges } from './edges.ts'
import { nodeErrors } from './errors.ts'
import { requireNodes, toNode } from './read.ts'
import type { NodeDetails, NodesOfType, OfType, TypeAndId } from './schema-browse.ts'
import { titled } from './search.ts'
import { countByType, listNodesOfType } from './store.ts'
import { countEdgesByNode } from './store-edges.ts'
import { findVault, type Vault } from './vault.ts'

type Reading = Pick<Ctx, 'db' | 'keyring'>

/** A page of the caller's nodes of one type, the newest first. */
export async function getNodesOfType(
  ctx: Reading,
  actor: Actor,
  { type, page, limit }: OfType,
): Promise<NodesOfType> {
  const { userId } = requireUser(actor)
  const vault = await findVault(ctx, ctx.db.read, requireUser(actor))
  const counts = await countByType(ctx.db.read, userId)
  const total = counts.find((one) => one.type === type)?.count ?? 0
  const offset = (page - 1) * limit
  const rows = await listNodesOfType(ctx.db.read, { ownerId: userId, type, limit, offset })
  const edges = await countEdgesByNode(
    ctx.db.read,
    rows.map(({ key }) => key),
  )
  return {
    nodes: rows.map((row) => overviewOf(vault as Vault, row, edges.get(row.key) ?? 0)),
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
  const [row] = await requireNodes(ctx.db.read, me, [id])
  if (row?.type !== type) throw new AppError(nodeErrors.nodeNotFound)
  const vault = (await findVault(ctx, ctx.db.read, me)) as Vault
  const edges = await getEdges(ctx, actor, { node_id: id, direction: 'both' })
  const outgoing = edges.filter(({ source }) => source === id)
  const incoming = edges.filter(({ target }) => target === id)
  return { node: toNode(vault, row), edges: { outgoing, incoming, total: edges.length } }
}
