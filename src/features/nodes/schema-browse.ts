import { z } from 'zod'
import {
  Edge,
  type Filters,
  limitInUrl,
  Node,
  NodeName,
  NodeQuery,
  NodeSearch,
  NodeType,
  PropertyName,
} from './schema.ts'

export const NodeTypes = z.strictObject({
  types: z.array(z.strictObject({ type: NodeType, count: z.number().int() })),
})

export const TypeParam = z.object({ type: NodeType })

export const TypePage = z.object({
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  limit: limitInUrl(20),
})
export type OfType = z.output<typeof TypeParam> & z.output<typeof TypePage>

export const NodesOfType = z.strictObject({
  nodes: z.array(
    Node.extend({
      displayName: z.string(),
      edgeCount: z.number().int(),
      embeddingCount: z.number().int(),
    }),
  ),
  pagination: z.strictObject({
    page: z.number().int(),
    limit: z.number().int(),
    total: z.number().int(),
    totalPages: z.number().int(),
  }),
})
export type NodesOfType = z.output<typeof NodesOfType>

export const TypeAndId = z.object({ type: NodeType, id: NodeName })
export type TypeAndId = z.output<typeof TypeAndId>

export const NodeDetails = z.strictObject({
  node: Node,
  edges: z.strictObject({
    outgoing: z.array(Edge),
    incoming: z.array(Edge),
    total: z.number().int(),
  }),
})
export type NodeDetails = z.output<typeof NodeDetails>

export const StoredNode = z.strictObject({ success: z.literal(true), node: Node })

export const DeletedNode = z.strictObject({
  success: z.literal(true),
  message: z.string(),
  deleted: z.strictObject({
    id: NodeName,
    type: NodeType,
    name: z.string(),
    edgesRemoved: z.number().int(),
  }),
})

/** Types are separated by commas. */
export const NodeSearchInUrl = NodeSearch.extend({
  types: z
    .string()
    .max(1000)
    .default('')
    .transform((types) => types.split(',').filter(Boolean))
    .pipe(z.array(NodeType).max(20)),
  limit: limitInUrl(10),
  min_similarity: z.coerce.number().min(0).max(1).optional(),
  depth: z.coerce.number().int().min(1).max(3).default(1),
})

const FILTER = 'filter.'

/** The query in a URL: `type`, `q`, `limit`, `cursor`, `sort`, `order` and `filter.NAME=VALUE`. */
export const NodeQueryInUrl = z
  .looseObject({
    type: NodeType.optional(),
    q: NodeQuery.shape.query,
    sort: NodeQuery.shape.sort,
    order: NodeQuery.shape.order,
    limit: limitInUrl(50),
    cursor: NodeQuery.shape.cursor,
  })
  .superRefine((value, context) => {
    for (const [name, given] of Object.entries(value)) {
      if (name in NodeQuery.shape || name === 'q') continue
      const isFilter =
        name.startsWith(FILTER) &&
        PropertyName.safeParse(name.slice(FILTER.length)).success &&
        typeof given === 'string'
      if (!isFilter)
        context.addIssue({ code: 'custom', path: [name], message: 'is not a condition' })
    }
  })

/** A URL carries only text: what reads as a number or boolean is also matched as one. */
export function queryOfUrl(url: z.output<typeof NodeQueryInUrl>): NodeQuery {
  const filters: Filters = {}
  for (const [name, value] of Object.entries(url)) {
    if (!name.startsWith(FILTER) || typeof value !== 'string') continue
    filters[name.slice(FILTER.length)] = { in: [value, ...readingsOf(value)] }
  }
  const { type, q: query, sort, order, limit: most, cursor } = url
  return { type, query, filters, sort, order, limit: most, cursor }
}

function readingsOf(value: string): (number | boolean)[] {
  if (value === 'true' || value === 'false') return [value === 'true']
  return value.trim() !== '' && Number.isFinite(Number(value)) ? [Number(value)] : []
}
