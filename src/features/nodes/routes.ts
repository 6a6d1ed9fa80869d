import { z } from 'zod'
import type { Ctx } from '../../context.ts'
import { defineRoute } from '../../http/define-route.ts'
import type { Actor } from '../../policy/actor.ts'
import { getNodeDetails, getNodesOfType } from './browse.ts'
import { nodeErrors } from './errors.ts'
import { queryNodes } from './query.ts'
import { getNode, getTypes } from './read.ts'
import {
  NewNode,
  Node,
  type NodeChange,
  NodeId,
  NodePage,
  NodeQuery,
  Properties,
  SearchResult,
} from './schema.ts'
import {
  DeletedNode,
  NodeDetails,
  NodeQueryInUrl,
  NodeSearchInUrl,
  NodesOfType,
  NodeTypes,
  queryOfUrl,
  StoredNode,
  TypeAndId,
  TypePage,
  TypeParam,
} from './schema-browse.ts'
import { searchNodes, titled } from './search.ts'
import { addNodes, changeNodes, deleteNodes } from './write.ts'

const { nodeNotFound, idTaken, tooLarge, full, invalidCursor } = nodeErrors
const read = { permission: 'nodes:read', rate: 'unlimited' } as const
const write = { permission: 'nodes:write', rate: 'unlimited' } as const

/** Both verbs merge: properties that are not named stay, and null removes one. */
const changing = {
  path: '/api/nodes/{id}',
  summary: 'Change properties of a node',
  ...write,
  params: NodeId,
  status: 200,
  output: StoredNode,
  errors: [nodeNotFound, tooLarge, full],
} as const

async function change(ctx: Ctx, actor: Actor, input: NodeChange) {
  const [node] = await changeNodes(ctx, actor, [input])
  return { success: true as const, node }
}

export const routes = [
  defineRoute({
    method: 'get',
    path: '/api/nodes/types',
    summary: 'How many nodes of each type there are',
    ...read,
    status: 200,
    output: NodeTypes,
    run: getTypes,
  }),
  defineRoute({
    method: 'get',
    path: '/api/nodes/types/{type}',
    summary: 'The nodes of one type, newest first',
    ...read,
    params: TypeParam,
    query: TypePage,
    status: 200,
    output: NodesOfType,
    run: getNodesOfType,
  }),
  defineRoute({
    method: 'get',
    path: '/api/nodes/types/{type}/{id}/details',
    summary: 'A node with its edges',
    ...read,
    params: TypeAndId,
    status: 200,
    output: NodeDetails,
    errors: [nodeNotFound],
    run: getNodeDetails,
  }),
  defineRoute({
    method: 'get',
    path: '/api/nodes/vector-search',
    summary: 'Search nodes by words, best match first',
    ...read,
    query: NodeSearchInUrl,
    status: 200,
    output: SearchResult,
    run: searchNodes,
  }),
  defineRoute({
    method: 'get',
    path: '/api/nodes/query',
    summary: 'Nodes that match conditions',
    ...read,
    query: NodeQueryInUrl,
    status: 200,
    output: NodePage,
    errors: [invalidCursor],
    run: (ctx, actor, input) => queryNodes(ctx, actor, queryOfUrl(input)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/nodes/query',
    summary: 'Nodes that match conditions, with ranges and lists',
    ...read,
    changes: false,
    body: NodeQuery,
    status: 200,
    output: NodePage,
    errors: [invalidCursor],
    run: queryNodes,
  }),
  defineRoute({
    method: 'post',
    path: '/api/nodes',
    summary: 'Create a node',
    ...write,
    body: NewNode,
    status: 201,
    output: StoredNode,
    errors: [idTaken, tooLarge, full],
    run: async (ctx, actor, input) => {
      const [node] = await addNodes(ctx, actor, [input])
      return { success: true as const, node }
    },
  }),
  defineRoute({
    method: 'get',
    path: '/api/nodes/{id}',
    summary: 'A node',
    ...read,
    params: NodeId,
    status: 200,
    output: Node,
    errors: [nodeNotFound],
    run: getNode,
  }),
  defineRoute({
    ...changing,
    method: 'put',
    body: z.object({ properties: Properties }),
    run: change,
  }),
  defineRoute({
    ...changing,
    method: 'patch',
    body: z.object({ props: Properties }),
    run: (ctx, actor, { id, props }) => change(ctx, actor, { id, properties: props }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/nodes/{id}',
    summary: 'Delete a node with its edges',
    permission: 'nodes:delete',
    rate: 'unlimited',
    params: NodeId,
    status: 200,
    output: DeletedNode,
    errors: [nodeNotFound],
    run: async (ctx, actor, input) => {
      const { nodes, edges: edgesRemoved } = await deleteNodes(ctx, actor, [input.id])
      const [node] = nodes
      const deleted = { id: node.id, type: node.type, name: titled(node).title, edgesRemoved }
      return { success: true as const, message: 'The node was deleted.', deleted }
    },
  }),
]
