import { z } from 'zod'
import type { Ctx } from '../../../context.ts'
import { defineSimpleTool, defineTool, operation } from '../../../mcp/define-tool.ts'
import { text } from '../../../platform/text.ts'
import type { Actor } from '../../../policy/actor.ts'
import { clearNodes, countNodes } from '../clear.ts'
import { askConfirmation, requireConfirmation } from '../confirm.ts'
import { addEdges, deleteEdges, getEdges } from '../edges.ts'
import { getSubgraph } from '../graph.ts'
import { acquireLock, cleanUpLocks, getAvailable, releaseLock } from '../locks.ts'
import { previewDeletion } from '../preview.ts'
import { queryNodes } from '../query.ts'
import { getNode } from '../read.ts'
import {
  Edge,
  EdgeType,
  Filters,
  NewEdge,
  NewNode,
  Node,
  NodeChange,
  NodeName,
  NodeSearch,
  NodeType,
  Properties,
  SearchHit,
  Types,
} from '../schema.ts'
import { searchNodes } from '../search.ts'
import { addNodes, changeNodes, deleteNodes } from '../write.ts'
import { continued, Paged, paging } from './paging.ts'

const done = (operation: string, answer: object) => ({ success: true, operation, ...answer })

const Confirming = {
  confirm: z.boolean().optional().describe('true with a confirmationId to really do it'),
  confirmationId: z.string().max(64).optional().describe('from the first response'),
}

const Outcome = z.looseObject({
  success: z.boolean().optional(),
  operation: z.string().optional(),
  error: z.string().optional(),
  code: z.string().optional(),
  count: z.number().int().optional(),
  nodes: z.array(Node).optional(),
  needsConfirmation: z.boolean().optional(),
  confirmationId: z.string().optional(),
  expiresIn: z.number().optional(),
})

const NodeId = z.object({ id: NodeName.describe('id of the node') })
const page = { ...paging(50), offset: z.number().int().min(0).max(2000).default(0) }

const memoryNode = defineTool({
  name: 'memory_node',
  title: 'Memory: nodes',
  description:
    'Keep, read, change, delete, query and search memory nodes. Deleting first returns a confirmationId.',
  output: Outcome.extend({
    node: Node.optional(),
    deleted: z.unknown().optional(),
    ...Paged,
  }),
  destructive: true,
  operations: {
    add: operation({
      permission: 'mcp:write',
      input: NewNode,
      run: async (ctx, actor, input) => {
        const [node] = await addNodes(ctx, actor, [input])
        return done('add', { node })
      },
    }),
    get: operation({
      permission: 'mcp:read',
      input: NodeId,
      run: async (ctx, actor, input) => done('get', { node: await getNode(ctx, actor, input) }),
    }),
    update: operation({
      permission: 'mcp:write',
      input: NodeChange,
      run: async (ctx, actor, input) => {
        const [node] = await changeNodes(ctx, actor, [input])
        return done('update', { node })
      },
    }),
    delete: operation({
      permission: 'mcp:write',
      input: NodeId.extend(Confirming),
      run: async (ctx, actor, { id, confirm, confirmationId }) => {
        if (!confirm) {
          const preview = await previewDeletion(ctx, actor, [id])
          return { ...(await askConfirmation(ctx, actor, 'memory_node.delete', { id })), preview }
        }
        await requireConfirmation(ctx, actor, 'memory_node.delete', { id }, confirmationId)
        const { edges } = await deleteNodes(ctx, actor, [id])
        return done('delete', { deleted: true, id, deletedEdges: edges })
      },
    }),
    query: operation({
      permission: 'mcp:read',
      input: z.object({
        type: Types.optional(),
        filters: Filters.optional(),
        ...paging(50),
      }),
      run: async (ctx, actor, input) => {
        const found = await queryNodes(ctx, actor, { ...input, sort: 'created', order: 'desc' })
        const { count, nodes, nextCursor } = found
        return done('query', { count, nodes, ...continued(nextCursor) })
      },
    }),
    search: operation({
      permission: 'mcp:read',
      input: z.object({
        query: text(1, 400),
        options: z.object({ ...page, types: z.array(NodeType).max(20).default([]) }).prefault({}),
      }),
      run: async (ctx, actor, { query, options }) => {
        const { limit, offset, types, cursor } = options
        const found = await queryNodes(ctx, actor, {
          ...{ query, cursor, sort: 'created', order: 'desc' },
          type: types.length > 0 ? types : undefined,
          limit: limit + offset,
        })
        const nodes = found.nodes.slice(offset)
        return done('search', { count: nodes.length, nodes, ...continued(found.nextCursor) })
      },
    }),
  },
})

const around = {
  node_id: NodeName.describe('id of the node'),
  edge_type: EdgeType.optional(),
  direction: z.enum(['in', 'out', 'both']).default('both'),
}
const shortened = (truncated: boolean) => (truncated ? { truncated } : {})
const depth = (usual: number) => z.number().int().min(1).max(5).default(usual)

const memoryEdge = defineTool({
  name: 'memory_edge',
  title: 'Memory: edges',
  description: 'Connect memory nodes, and find what a node is connected to.',
  output: Outcome.extend({
    edge: Edge.optional(),
    edges: z.array(Edge).optional(),
    neighbors: z.array(Node).optional(),
    subgraph: z.object({ nodes: z.array(Node), edges: z.array(Edge) }).optional(),
    truncated: z.literal(true).optional().describe('there is more than one response can hold'),
  }),
  destructive: true,
  operations: {
    add: operation({
      permission: 'mcp:write',
      input: NewEdge,
      run: async (ctx, actor, input) => {
        const [edge] = await addEdges(ctx, actor, [input])
        return done('add', { edge })
      },
    }),
    delete: operation({
      permission: 'mcp:write',
      input: z.object({ edge_id: z.uuid().toLowerCase() }),
      run: async (ctx, actor, input) => {
        await deleteEdges(ctx, actor, [input.edge_id])
        return done('delete', { deleted: true, edge_id: input.edge_id })
      },
    }),
    get: operation({
      permission: 'mcp:read',
      input: z.object(around),
      run: async (ctx, actor, { edge_type: type, ...input }) => {
        const { edges, truncated } = await getEdges(ctx, actor, { ...input, type })
        return done('get', { count: edges.length, edges, ...shortened(truncated) })
      },
    }),
    neighbors: operation({
      permission: 'mcp:read',
      input: z.object({ ...around, depth: depth(1) }),
      run: async (ctx, actor, { edge_type: type, ...input }) => {
        const { nodes, truncated } = await getSubgraph(ctx, actor, { ...input, type })
        const neighbors = nodes.slice(1)
        return done('neighbors', { count: neighbors.length, neighbors, ...shortened(truncated) })
      },
    }),
    subgraph: operation({
      permission: 'mcp:read',
      input: z.object({ node_id: around.node_id, depth: depth(2) }),
      run: async (ctx, actor, input) => {
        const { nodes, edges, truncated } = await getSubgraph(ctx, actor, input)
        return done('subgraph', { subgraph: { nodes, edges }, ...shortened(truncated) })
      },
    }),
  },
})

const MAX_AT_ONCE = 200
const many = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(MAX_AT_ONCE)

const memoryBatch = defineTool({
  name: 'memory_batch',
  title: 'Memory: many at once',
  description: `Add, change, delete or connect up to ${MAX_AT_ONCE} memory nodes, all or nothing.`,
  output: Outcome.extend({ edges: z.array(Edge).optional() }),
  destructive: true,
  operations: {
    add_nodes: operation({
      permission: 'mcp:write',
      input: z.object({ nodes: many(NewNode) }),
      run: async (ctx, actor, input) => {
        const nodes = await addNodes(ctx, actor, input.nodes)
        return done('add_nodes', { count: nodes.length, nodes })
      },
    }),
    update_nodes: operation({
      permission: 'mcp:write',
      input: z.object({ updates: many(z.object({ id: NodeName, properties: Properties })) }),
      run: async (ctx, actor, input) => {
        const nodes = await changeNodes(ctx, actor, input.updates)
        return done('update_nodes', { count: nodes.length, nodes })
      },
    }),
    delete_nodes: operation({
      permission: 'mcp:write',
      input: z.object({ ids: many(NodeName), ...Confirming }),
      run: async (ctx, actor, { ids, confirm, confirmationId }) => {
        if (!confirm) {
          const preview = await previewDeletion(ctx, actor, ids)
          return { ...(await askConfirmation(ctx, actor, 'memory_batch.delete', { ids })), preview }
        }
        await requireConfirmation(ctx, actor, 'memory_batch.delete', { ids }, confirmationId)
        const { count, edges } = await deleteNodes(ctx, actor, ids)
        return done('delete_nodes', { count, deletedEdges: edges })
      },
    }),
    add_edges: operation({
      permission: 'mcp:write',
      input: z.object({ edges: many(NewEdge) }),
      run: async (ctx, actor, input) => {
        const edges = await addEdges(ctx, actor, input.edges)
        return done('add_edges', { count: edges.length, edges })
      },
    }),
    delete_edges: operation({
      permission: 'mcp:write',
      input: z.object({ ids: many(z.uuid().toLowerCase()), ...Confirming }),
      run: async (ctx, actor, { ids, confirm, confirmationId }) => {
        if (!confirm) {
          const preview = { ids: ids.slice(0, 10) }
          return { ...(await askConfirmation(ctx, actor, 'memory_batch.unlink', { ids })), preview }
        }
        await requireConfirmation(ctx, actor, 'memory_batch.unlink', { ids }, confirmationId)
        return done('delete_edges', { count: await deleteEdges(ctx, actor, ids) })
      },
    }),
  },
})

const AGENT = z.string().min(1).max(128).describe('name the agent chooses for itself')

const memoryLock = defineTool({
  name: 'memory_lock',
  title: 'Memory: locks',
  description: 'Lock a node so that no other agent works on it at the same time.',
  output: Outcome.extend({
    locked: z.boolean().optional(),
    unlocked: z.boolean().optional(),
    cleaned: z.number().int().optional(),
    expires: z.string().optional(),
    ...Paged,
  }),
  operations: {
    acquire: operation({
      permission: 'mcp:write',
      input: z.object({
        node_id: NodeName,
        agent_id: AGENT,
        timeout_ms: z.number().int().min(1_000).max(86_400_000).default(300_000),
      }),
      run: async (ctx, actor, input) =>
        done('acquire', { locked: true, ...(await acquireLock(ctx, actor, input)) }),
    }),
    release: operation({
      permission: 'mcp:write',
      input: z.object({ node_id: NodeName, agent_id: AGENT }),
      run: async (ctx, actor, input) => {
        await releaseLock(ctx, actor, input)
        return done('release', { unlocked: true })
      },
    }),
    query_available: operation({
      permission: 'mcp:read',
      input: z.object({
        type: NodeType.optional(),
        filters: Filters.optional(),
        ...paging(200),
      }),
      run: async (ctx, actor, input) => {
        const { nodes, nextCursor } = await getAvailable(ctx, actor, input)
        return done('query_available', { count: nodes.length, nodes, ...continued(nextCursor) })
      },
    }),
    cleanup: operation({
      permission: 'mcp:write',
      input: z.object({}),
      run: async (ctx, actor) => done('cleanup', { cleaned: await cleanUpLocks(ctx, actor) }),
    }),
  },
})

const ALL = 'ALL'

const memoryClear = defineTool({
  name: 'memory_clear',
  title: 'Memory: clear',
  description: 'Delete all memory nodes of a type, or ALL. First returns a confirmationId.',
  output: Outcome.extend({
    confirmed: z.boolean().optional(),
    deletedNodes: z.number().int().optional(),
    deletedEdges: z.number().int().optional(),
  }),
  destructive: true,
  choose: ({ type }) => (type === ALL ? 'all' : 'type'),
  operations: {
    type: operation({
      permission: 'mcp:write',
      input: z.object({ type: NodeType.describe('a node type, or ALL'), ...Confirming }),
      run: (ctx, actor, { type, ...confirming }) => clear(ctx, actor, type, confirming),
    }),
    all: operation({
      permission: 'mcp:admin',
      input: z.object({ type: z.literal(ALL), ...Confirming }),
      run: (ctx, actor, { type: _, ...confirming }) => clear(ctx, actor, undefined, confirming),
    }),
  },
})

async function clear(
  ctx: Ctx,
  actor: Actor,
  type: string | undefined,
  {
    confirm,
    confirmationId,
  }: { confirm?: boolean | undefined; confirmationId?: string | undefined },
): Promise<object> {
  const what = { type: type ?? ALL }
  if (!confirm) {
    const asked = await askConfirmation(ctx, actor, 'memory_clear', what)
    return { ...asked, preview: { ...what, nodes: await countNodes(ctx, actor, type) } }
  }
  await requireConfirmation(ctx, actor, 'memory_clear', what, confirmationId)
  return done('clear', { confirmed: true, ...(await clearNodes(ctx, actor, type)) })
}

const vectorSearch = defineSimpleTool({
  name: 'vector_search_nodes',
  title: 'Memory: search',
  description:
    'Find memory nodes by the words of a query, best match first. The search is by words, not by meaning.',
  permission: 'mcp:read',
  input: NodeSearch,
  output: Outcome.extend({
    query: z.string().optional(),
    results: z.array(SearchHit).optional(),
    total_results: z.number().int().optional(),
    search_method: z.literal('fulltext').optional(),
    fallback_triggered: z.boolean().optional(),
  }),
  run: async (ctx, actor, input) => ({ success: true, ...(await searchNodes(ctx, actor, input)) }),
})

export const memoryTools = [
  memoryNode,
  memoryEdge,
  memoryBatch,
  memoryLock,
  memoryClear,
  vectorSearch,
]
