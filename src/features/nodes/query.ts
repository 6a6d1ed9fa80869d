import { setImmediate } from 'node:timers/promises'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { tokensOf } from '../../platform/words.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { nodeErrors } from './errors.ts'
import { propertyOf, testOf, valuesOf } from './filter.ts'
import { toNode } from './read.ts'
import type { Node, NodePage, NodeQuery } from './schema.ts'
import {
  findPlace,
  listKeysByTerms,
  listKeysByTypes,
  type Place,
  type Scan,
  scanNodes,
} from './store-scan.ts'
import { valueTerm, wordTerm } from './terms.ts'
import { findVault, type Vault } from './vault.ts'

/** Most nodes that one query decrypts, and most rows that it reads, before it returns a cursor. */
const MAX_OPENED = 1_000
const MAX_SEEN = 10_000
const OPENED_A_BATCH = 200
const SEEN_A_BATCH = 2_000
/** Most nodes of a condition that are looked up at once; a condition that more nodes fulfil is common. */
const FEW = 1_000

/**
 * The caller's nodes that fulfil every condition. Equality and words use the index of terms; ranges and
 * substrings are tested by decrypting node after node.
 */
export async function queryNodes(
  ctx: Pick<Ctx, 'db' | 'keyring'>,
  actor: Actor,
  input: NodeQuery,
): Promise<NodePage> {
  const me = requireUser(actor)
  const vault = await findVault(ctx, ctx.db.read, me)
  if (!vault) return pageOf([], null)
  const { indexed, opened } = conditionsOf(vault, input)
  const among = await findCandidates(ctx, indexed)
  if (among?.length === 0) return pageOf([], null)
  const path = { ...indexed, among }
  const nodes: Node[] = []
  let after = input.cursor ? parseCursor(input) : undefined
  let until: Place | undefined
  let [looked, read] = [0, 0]
  while (looked < MAX_SEEN && read < MAX_OPENED) {
    // A known set of candidates is bounded already.
    if (!among) until ??= await findPlace(ctx.db.read, { ...path, after }, SEEN_A_BATCH)
    const limit = opened.length > 0 ? OPENED_A_BATCH : input.limit - nodes.length + 1
    const rows = await scanNodes(ctx.db.read, { ...path, after, until, limit })
    for (const row of rows) {
      if (nodes.length === input.limit) return pageOf(nodes, cursorAt(input, after as Place))
      const node = toNode(vault, row)
      if (opened.every((holds) => holds(node))) nodes.push(node)
      after = { key: row.key, updatedAt: row.updated_at }
    }
    if (rows.length < limit) {
      if (!until) return pageOf(nodes, null)
      after = until
      until = undefined
      looked += SEEN_A_BATCH
    }
    read += rows.length
    await setImmediate()
  }
  return pageOf(nodes, cursorAt(input, after as Place))
}

function pageOf(nodes: Node[], nextCursor: string | null): NodePage {
  return { success: true, count: nodes.length, nodes, results: nodes, nextCursor }
}

interface Conditions {
  readonly indexed: Omit<Scan, 'after' | 'until' | 'limit' | 'among'>
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
    if (test) opened.push((node) => test(propertyOf(node.properties, name)))
  }
  const types = input.type === undefined ? [] : [input.type].flat()
  return {
    indexed: { ownerId: vault.ownerId, types, terms, sort: input.sort, order: input.order },
    opened,
  }
}

/**
 * The nodes that fulfil every rare condition, so that only these are tested against the common ones;
 * undefined if all conditions are common.
 */
async function findCandidates(
  { db }: Pick<Ctx, 'db'>,
  { ownerId, types, terms, sort }: Conditions['indexed'],
): Promise<number[] | undefined> {
  const lists = terms.map((group) => listKeysByTerms(db.read, group, FEW + 1))
  // A scan by a single type uses the index of types.
  const hasOther = terms.length > 0 || types.length > 1 || sort === 'updated'
  if (types.length > 0 && hasOther) {
    lists.push(listKeysByTypes(db.read, ownerId, types, FEW + 1))
  }
  const rare = (await Promise.all(lists)).filter((keys) => keys.length <= FEW)
  const [first, ...others] = rare
  if (!first) return undefined
  const sets = others.map((keys) => new Set(keys))
  return [...new Set(first)].filter((key) => sets.every((keys) => keys.has(key)))
}

function cursorAt({ sort, order }: NodeQuery, { key, updatedAt }: Place): string {
  return Buffer.from([sort, order, key, updatedAt].join(' ')).toString('base64url')
}

function parseCursor({ sort, order, cursor }: NodeQuery): Place {
  const [bySort, byOrder, key, updatedAt = ''] = Buffer.from(cursor ?? '', 'base64url')
    .toString()
    .split(' ')
  const isOurs = bySort === sort && byOrder === order && /^\d{1,15}$/.test(key ?? '')
  const hasTime = sort === 'created' || !Number.isNaN(Date.parse(updatedAt))
  if (!isOurs || !hasTime) throw new AppError(nodeErrors.invalidCursor)
  return { key: Number(key), updatedAt }
}
