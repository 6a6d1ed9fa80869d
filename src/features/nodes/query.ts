import { setImmediate } from 'node:timers/promises'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { tokensOf } from '../../platform/words.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { nodeErrors } from './errors.ts'
import { toNode } from './read.ts'
import type { Filter, Node, NodePage, NodeQuery } from './schema.ts'
import { listKeysByTerm, type Scan, scanNodes } from './store.ts'
import { valueTerm, wordTerm } from './terms.ts'
import { findVault, type Vault } from './vault.ts'

/** Nodes one query opens at most: then it answers, and the client goes on from there. */
const MOST_OPENED = 5_000
const ROWS_A_BATCH = 200
/** How far entries of a term are counted to find the rarest of several. */
const COUNTED = 1_000

/**
 * The caller's nodes that fulfil every condition. Equality and words are looked up in the index of
 * terms; ranges and parts of texts are found by opening node after node.
 */
export async function queryNodes(
  ctx: Pick<Ctx, 'db' | 'keyring'>,
  actor: Actor,
  input: NodeQuery,
): Promise<NodePage> {
  const me = requireUser(actor)
  const vault = await findVault(ctx, ctx.db.read, me)
  if (!vault) return pageOf([], null)
  const conditions = conditionsOf(vault, input)
  const scan = { ...conditions.indexed, ...(await chooseDriver(ctx, conditions.indexed)) }
  const nodes: Node[] = []
  let after = input.cursor ? parseCursor(input) : undefined
  for (let opened = 0; opened < MOST_OPENED; opened += ROWS_A_BATCH) {
    const limit = conditions.opened.length > 0 ? ROWS_A_BATCH : input.limit - nodes.length + 1
    const rows = await scanNodes(ctx.db.read, { ...scan, after, limit })
    for (const row of rows) {
      if (nodes.length === input.limit) return pageOf(nodes, cursorAt(input, after as Place))
      const node = toNode(vault, row)
      if (conditions.opened.every((holds) => holds(node))) nodes.push(node)
      after = { key: row.key, updatedAt: row.updated_at }
    }
    if (rows.length < limit) return pageOf(nodes, null)
    await setImmediate()
  }
  return pageOf(nodes, cursorAt(input, after as Place))
}

type Place = NonNullable<Scan['after']>

function pageOf(nodes: Node[], nextCursor: string | null): NodePage {
  return { success: true, count: nodes.length, nodes, results: nodes, nextCursor }
}

interface Conditions {
  readonly indexed: Omit<Scan, 'after' | 'limit' | 'along'>
  readonly opened: readonly ((node: Node) => boolean)[]
}

function conditionsOf(vault: Vault, input: NodeQuery): Conditions {
  const words = [...new Set(tokensOf(input.query ?? ''))]
  const terms = words.map((word) => [wordTerm(vault, word)])
  const opened: ((node: Node) => boolean)[] = []
  for (const [name, filter] of Object.entries(input.filters ?? {})) {
    const values = valuesOf(filter)
    if (values) terms.push(values.map((value) => valueTerm(vault, name, value)))
    const test = testOf(filter)
    if (test) opened.push((node) => test(node.properties[name]))
  }
  const types = input.type === undefined ? [] : [input.type].flat()
  return {
    indexed: { ownerId: vault.ownerId, types, terms, sort: input.sort, order: input.order },
    opened,
  }
}

/** What the property may be equal to, where the filter says that. */
function valuesOf(filter: Filter): readonly (string | number | boolean)[] | undefined {
  if (filter === null) return undefined
  return typeof filter === 'object' ? filter.in : [filter]
}

/** What has to be tested on the property itself. */
function testOf(filter: Filter): ((value: unknown) => boolean) | undefined {
  // A property that is not there is null to whoever asks.
  if (filter === null) return (value) => value === undefined || value === null
  if (typeof filter !== 'object') return undefined
  const { gte, lte, contains } = filter
  if (gte === undefined && lte === undefined && contains === undefined) return undefined
  return (value) =>
    (gte === undefined || (typeof value === typeof gte && (value as typeof gte) >= gte)) &&
    (lte === undefined || (typeof value === typeof lte && (value as typeof lte) <= lte)) &&
    (contains === undefined || holds(value, contains))
}

function holds(value: unknown, part: string): boolean {
  if (Array.isArray(value)) return value.some((item) => holds(item, part))
  return typeof value === 'string' && value.toLowerCase().includes(part.toLowerCase())
}

/** Walks along the rarest of the terms, so that a common one costs nothing. */
async function chooseDriver(
  ctx: Pick<Ctx, 'db'>,
  { terms }: Conditions['indexed'],
): Promise<Pick<Scan, 'along' | 'terms'>> {
  const single = terms.filter((group) => group.length === 1).map(([term]) => term as string)
  if (single.length === 0) return { along: undefined, terms }
  let along = single[0] as string
  if (single.length > 1) {
    let fewest = COUNTED + 1
    for (const term of single) {
      const { length } = await listKeysByTerm(ctx.db.read, term, COUNTED)
      if (length < fewest) [along, fewest] = [term, length]
    }
  }
  return { along, terms: terms.filter((group) => group.length > 1 || group[0] !== along) }
}

function cursorAt({ sort, order }: NodeQuery, { key, updatedAt }: Place): string {
  return Buffer.from([sort, order, key, updatedAt].join(' ')).toString('base64url')
}

function parseCursor({ sort, order, cursor }: NodeQuery): Place {
  const [bySort, byOrder, key, updatedAt = ''] = Buffer.from(cursor ?? '', 'base64url')
    .toString()
    .split(' ')
  const isOurs = bySort === sort && byOrder === order && /^\d{1,15}$/.test(key ?? '')
  if (!isOurs || Number.isNaN(Date.parse(updatedAt))) throw new AppError(nodeErrors.invalidCursor)
  return { key: Number(key), updatedAt }
}
