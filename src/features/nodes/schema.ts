import { z } from 'zod'
import { pageLimit } from '../../platform/page-limit.ts'
import { isStorable } from '../../platform/text.ts'

/** Largest size of the properties of a node or an edge, in bytes of JSON. */
export const PROPERTIES_MAX_BYTES = 48 * 1024
/** Deepest nesting of objects and lists in properties. */
const DEEPEST = 16

/** Types that clients use: todo, todoList, memory, file, function, class, module, concept, person, project, custom. */
export const NodeType = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'letters, digits, _ and -, 64 at most')
  .meta({ examples: ['memory'] })

/** Types that clients use: contains, depends_on, relates_to, implements, assigned_to, parent_of, blocks, references … */
export const EdgeType = NodeType.meta({ examples: ['relates_to'] })

/** The id of a node: chosen by the client, or assigned by the server. */
export const NodeName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, 'letters, digits and ._:-, 128 at most')
  .meta({ examples: ['memory-1-1700000000000'] })

/** The name of a property that filters may use. */
export const PropertyName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'letters, digits and _, 64 at most')

export const Properties = z
  .record(z.string().min(1).max(128), z.unknown())
  // Must come first and abort: the checks below recurse into the value.
  .refine((value) => depthOf(value) <= DEEPEST, { error: 'is nested too deeply', abort: true })
  .refine((value) => [...textsIn(value)].every(isStorable), 'must be well-formed text')
  .meta({ examples: [{ title: 'a thought' }] })
export type Properties = z.output<typeof Properties>

/** All strings in the value, including property names. */
export function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      if (!Array.isArray(value)) yield name
      yield* textsIn(item)
    }
  }
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  // Level by level instead of recursively: deep nesting must not overflow the stack.
  let level: unknown[] = [value]
  let depth = 0
  while (level.length > 0 && depth <= DEEPEST) {
    depth++
    level = level.flatMap((item) =>
      Object.values(item as object).filter((one) => typeof one === 'object' && one !== null),
    )
  }
  return depth
}

export const Node = z.strictObject({
  id: NodeName,
  type: NodeType,
  properties: Properties,
  created: z.iso.datetime(),
  updated: z.iso.datetime(),
})
export type Node = z.output<typeof Node>

export const Edge = z.strictObject({
  id: z.string(),
  source: NodeName,
  target: NodeName,
  type: EdgeType,
  properties: Properties.optional(),
  created: z.iso.datetime(),
})
export type Edge = z.output<typeof Edge>

export const NewNode = z.object({
  id: NodeName.optional(),
  type: NodeType,
  properties: Properties.default({}),
})
export type NewNode = z.output<typeof NewNode>

/** Properties are merged: those not named stay, and null removes one. */
export const NodeChange = z.object({ id: NodeName, properties: Properties })
export type NodeChange = z.output<typeof NodeChange>

export const NodeId = z.object({ id: NodeName })
export type NodeId = z.output<typeof NodeId>

export const NewEdge = z.object({
  source: NodeName,
  target: NodeName,
  type: EdgeType,
  properties: Properties.default({}),
})
export type NewEdge = z.output<typeof NewEdge>

const scalar = z.union([z.string().max(4096), z.number(), z.boolean()])

export const Filter = z.union([
  scalar,
  z.null(),
  z
    .strictObject({
      in: z.array(scalar).min(1).max(50).optional(),
      gte: z.union([z.string(), z.number()]).optional(),
      lte: z.union([z.string(), z.number()]).optional(),
      contains: z.string().min(1).max(256).optional(),
      /** Also fulfilled where the property is missing. */
      not: scalar.optional(),
    })
    .refine((value) => Object.keys(value).length > 0, 'names no condition'),
])
export type Filter = z.output<typeof Filter>

export const Filters = z
  .record(PropertyName, Filter)
  .refine((value) => Object.keys(value).length <= 20, 'has too many conditions')
  .meta({ examples: [{ status: 'pending' }] })
export type Filters = z.output<typeof Filters>

const LIMIT_MAX = 200

/** The number of results wanted, clamped to a page. */
export const limit = (usual: number) =>
  z
    .number()
    .int()
    .default(usual)
    .transform((wanted) => Math.min(Math.max(wanted, 1), LIMIT_MAX))

/** The same in a URL. */
export const limitInUrl = (usual: number) => pageLimit(usual, LIMIT_MAX)

export const Types = z.union([NodeType, z.array(NodeType).min(1).max(20)])

export const NodeQuery = z.strictObject({
  type: Types.optional(),
  filters: Filters.optional(),
  /** Words that must all occur in the node. */
  query: z.string().min(1).max(400).optional(),
  sort: z.enum(['created', 'updated']).default('created'),
  order: z.enum(['asc', 'desc']).default('desc'),
  limit: limit(50),
  cursor: z.string().max(200).optional(),
})
export type NodeQuery = z.output<typeof NodeQuery>

/** A page of nodes in the usual order, the newest first. */
export type Listing = Pick<NodeQuery, 'filters' | 'limit' | 'cursor'>

export const NodePage = z.strictObject({
  success: z.literal(true),
  count: z.number().int(),
  nodes: z.array(Node),
  /** The same list, under the name that other clients of this interface read. */
  results: z.array(Node),
  /** Where to continue; null at the end. A page may be short, or empty, without being the last. */
  nextCursor: z.string().nullable(),
})
export type NodePage = z.output<typeof NodePage>

export const NodeSearch = z.object({
  query: z.string().min(1).max(400),
  types: z.array(NodeType).max(20).default([]),
  limit: limit(10),
  /** The least share of the query's weight that a node's words must carry, 0 to 1. */
  min_similarity: z.number().min(0).max(1).optional(),
  /** 1 for the hits alone; each further step follows one edge from them. */
  depth: z.number().int().min(1).max(3).default(1),
})
export type NodeSearch = z.output<typeof NodeSearch>

export const SearchHit = z.strictObject({
  id: NodeName,
  type: NodeType,
  title: z.string(),
  preview: z.string(),
  /** The share of the query's weight that the node carries; rare words weigh more. */
  similarity: z.number(),
  related: z
    .array(z.strictObject({ id: NodeName, type: NodeType, distance: z.number().int() }))
    .optional(),
})

export const SearchResult = z.strictObject({
  query: z.string(),
  results: z.array(SearchHit),
  count: z.number().int(),
  total_results: z.number().int(),
  /** Always by words: this server has no embeddings. */
  search_method: z.literal('fulltext'),
  fallback_triggered: z.literal(false),
})
export type SearchResult = z.output<typeof SearchResult>
