import type { Ctx } from '../../context.ts'
import { tokensOf } from '../../platform/words.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { relatedTo } from './graph.ts'
import { toNode } from './read.ts'
import type { Node, NodeSearch, SearchResult } from './schema.ts'
import { findNodesByKey, keepThoseWithTerm, listKeysByTerm } from './store.ts'
import { wordTerm } from './terms.ts'
import { findVault, type Vault } from './vault.ts'

type Reading = Pick<Ctx, 'db' | 'keyring'>

/** Most words of a query that are used. */
const MAX_WORDS = 16
/** Most nodes, newest first, that one word adds to the candidates. */
const CANDIDATES = 500
/** How many of the rarest words add candidates; commoner ones only affect the score. */
const BRINGING = 4
const PREVIEW = 200

/**
 * Nodes that contain words of the query; more and rarer words rank higher. Matches whole words without case
 * and accents, not meaning, and the result says so.
 */
export async function searchNodes(
  ctx: Reading,
  actor: Actor,
  input: NodeSearch,
): Promise<SearchResult> {
  const me = requireUser(actor)
  const vault = await findVault(ctx, ctx.db.read, me)
  const words = [...new Set(tokensOf(input.query))].slice(0, MAX_WORDS)
  const ranked = vault ? await rank(ctx, vault, words, input.types) : []
  const enough = ranked.filter(({ similarity }) => similarity >= (input.min_similarity ?? 0))
  const hits = vault ? await openHits(ctx, vault, enough.slice(0, input.limit), input.depth) : []
  return {
    query: input.query,
    results: hits,
    count: hits.length,
    total_results: enough.length,
    search_method: 'fulltext',
    fallback_triggered: false,
  }
}

interface Ranked {
  readonly key: number
  readonly similarity: number
}

/** What a word of the query finds. */
interface Found {
  readonly term: string
  /** The newest nodes that have it, at most `CANDIDATES`. */
  readonly keys: readonly number[]
  readonly weight: number
}

async function rank(
  ctx: Reading,
  vault: Vault,
  words: readonly string[],
  types: readonly string[],
): Promise<Ranked[]> {
  const found = await Promise.all(
    words.map(async (word): Promise<Found> => {
      const term = wordTerm(vault, word)
      const keys = await listKeysByTerm(ctx.db.read, { term, types, limit: CANDIDATES })
      return { term, keys, weight: 1 / Math.log2(2 + keys.length) }
    }),
  )
  found.sort((a, b) => a.keys.length - b.keys.length)
  const present = found.filter(({ keys }) => keys.length > 0)
  const bringing = present.slice(0, BRINGING).flatMap(({ keys }) => keys)
  const candidates = [...new Set([...(await havingAll(ctx, present, types)), ...bringing])]
  const scores = new Map(candidates.map((key) => [key, 0]))
  for (const { term, keys, weight } of present) {
    const isWhole = keys.length < CANDIDATES
    const having = isWhole ? keys : await keepThoseWithTerm(ctx.db.read, term, candidates)
    for (const key of having) {
      const score = scores.get(key)
      if (score !== undefined) scores.set(key, score + weight)
    }
  }
  const whole = found.reduce((sum, { weight }) => sum + weight, 0)
  return [...scores]
    .map(([key, score]) => ({ key, similarity: Math.round((score / whole) * 1000) / 1000 }))
    .sort((a, b) => b.similarity - a.similarity || b.key - a.key)
}

/** The nodes that have all words, where each is so common that its own candidates may not include them. */
async function havingAll(
  ctx: Reading,
  [rarest, ...others]: readonly Found[],
  types: readonly string[],
): Promise<number[]> {
  if (!rarest || rarest.keys.length < CANDIDATES || others.length === 0) return []
  const { term } = rarest
  const terms = others.map((other) => other.term)
  return listKeysByTerm(ctx.db.read, { term, others: terms, types, limit: CANDIDATES })
}

async function openHits(
  ctx: Reading,
  vault: Vault,
  ranked: readonly Ranked[],
  depth: number,
): Promise<SearchResult['results']> {
  const keys = ranked.map(({ key }) => key)
  const rows = new Map((await findNodesByKey(ctx.db.read, keys)).map((row) => [row.key, row]))
  // Depth 1 is the hits alone; each further step follows one edge.
  const related = depth > 1 ? await relatedTo(ctx, keys, depth - 1) : undefined
  return ranked.flatMap(({ key, similarity }) => {
    const row = rows.get(key)
    if (!row) return []
    const node = toNode(vault, row)
    const around = related && { related: related.get(key) ?? [] }
    return [{ id: node.id, type: node.type, ...titled(node), similarity, ...around }]
  })
}

/** The first text property that looks like a name, and the beginning of the next or of all properties. */
export function titled({ id, properties }: Node): { title: string; preview: string } {
  const texts = ['title', 'name', 'content', 'description', 'text']
    .map((name) => properties[name])
    .filter((value): value is string => typeof value === 'string' && value !== '')
  const cut = (text: string) =>
    text.length > PREVIEW ? `${text.slice(0, PREVIEW).toWellFormed()}…` : text
  return { title: cut(texts[0] ?? id), preview: cut(texts[1] ?? JSON.stringify(properties)) }
}
