import { STATES, TOPICS, WORDS } from './node-contents.ts'
import { quantile } from './quantile.ts'

export interface NodesJob {
  readonly kind: 'nodes'
  readonly origin: string
  readonly apiKey: string
  /** How many nodes the key's owner has. */
  readonly nodes: number
  /** Requests per kind. */
  readonly runs: number
}

export interface QueryTimes {
  readonly name: string
  readonly kind: 'query' | 'search'
  /** Milliseconds from the request to the complete response. */
  readonly p50: number
  readonly p99: number
}

interface Question {
  readonly name: string
  readonly kind: 'query' | 'search'
  /** Throws unless the answer is correct. */
  ask(call: Caller, run: number): Promise<void>
}

interface Caller {
  readonly nodes: number
  get(path: string): Promise<Answer>
  post(path: string, body: object): Promise<Answer>
  /** Calls a tool over MCP. */
  tool(name: string, input: object): Promise<Answer>
}

interface Answer {
  readonly count: number
  readonly nextCursor?: string | null
}

const QUERY = '/api/nodes/query'
/** The first requests meet cold caches and uncompiled code. */
const WARM_RUNS = 20

const has = (test: boolean, what: string): void => {
  if (!test) throw new Error(`an answer to "${what}" is not what it has to be`)
}

const query = (name: string, ask: (call: Caller, run: number) => Promise<boolean>): Question => ({
  name,
  kind: 'query',
  ask: async (call, run) => has(await ask(call, run), name),
})

const search = (name: string, words: string, count: number): Question => ({
  name: `search: ${name}`,
  kind: 'search',
  async ask({ get }) {
    const path = `/api/nodes/vector-search?query=${encodeURIComponent(words)}&limit=10`
    const found = await get(path)
    has(found.count >= count && (count > 0 || found.count === 0), name)
  },
})

const topic = (run: number) => `topic-${(run * 37) % TOPICS}`
const state = (run: number) => STATES[run % STATES.length] as string

const QUESTIONS: readonly Question[] = [
  query('of a type', async ({ get }) => (await get(`${QUERY}?type=memory`)).count === 50),
  query(
    'of two types',
    async ({ post }) => (await post(QUERY, { type: ['person', 'concept'] })).count === 50,
  ),
  query('of a rare type, last changed first', async ({ post }) => {
    return (await post(QUERY, { type: 'person', sort: 'updated', limit: 5 })).count === 5
  }),
  query('a text', async ({ get }, run) => {
    return (await get(`${QUERY}?filter.topic=${topic(run)}`)).count > 0
  }),
  query('a number in the address', async ({ get, nodes }, run) => {
    return (await get(`${QUERY}?filter.serial=${(run * 7919) % nodes}`)).count === 1
  }),
  query('a type and two values', async ({ post }, run) => {
    const filters = { status: state(run), priority: 1 + (run % 7) }
    return (await post(QUERY, { type: 'todo', filters })).count > 0
  }),
  query('a rare value, last changed first', async ({ post }, run) => {
    return (await post(QUERY, { filters: { topic: topic(run) }, sort: 'updated' })).count > 0
  }),
  query('one of several values, oldest first', async ({ post }, run) => {
    const filters = { topic: { in: [topic(run), topic(run + 1), topic(run + 2)] } }
    return (await post(QUERY, { filters, order: 'asc' })).count > 0
  }),
  query('a range that most are in', async ({ post }) => {
    return (await post(QUERY, { filters: { priority: { gte: 2 } } })).count === 50
  }),
  query('a part of a text that none has', async ({ post }) => {
    const { count, nextCursor } = await post(QUERY, {
      filters: { title: { contains: WORDS.absent } },
    })
    return count === 0 && nextCursor !== undefined
  }),
  query('a common and a rare word', async ({ post }) => {
    return (await post(QUERY, { query: `${WORDS.common} ${WORDS.rare}` })).count > 0
  }),
  query('two common words that no node has both of', async ({ post }) => {
    return (await post(QUERY, { query: 'even odd' })).count === 0
  }),
  query('the page after a page', async ({ post }, run) => {
    const query = { type: 'memory', filters: { status: state(run) } }
    const { nextCursor } = await post(QUERY, query)
    return (await post(QUERY, { ...query, cursor: nextCursor })).count > 0
  }),
  query('MCP memory_node', async ({ tool }, run) => {
    const filters = { topic: topic(run) }
    return (await tool('memory_node', { operation: 'query', type: 'memory', filters })).count >= 0
  }),
  search('a rare word', WORDS.rare, 1),
  search('a common word', WORDS.common, 10),
  search('a common and a rare word', `${WORDS.common} ${WORDS.rare}`, 1),
  search('two words', `${WORDS.some} ${WORDS.common}`, 10),
  search('a word that none has', WORDS.absent, 0),
  {
    name: 'MCP vector_search_nodes',
    kind: 'search',
    async ask({ tool }) {
      const found = await tool('vector_search_nodes', { query: `${WORDS.some} ${WORDS.common}` })
      has(found.count === 10, 'vector_search_nodes')
    },
  },
]

/** Asks each question `runs` times, one request after the other. */
export async function runNodes({ origin, apiKey, nodes, runs }: NodesJob): Promise<QueryTimes[]> {
  const caller = callerOf(origin, apiKey, nodes)
  const results: QueryTimes[] = []
  for (const { name, kind, ask } of QUESTIONS) {
    const times: number[] = []
    for (let run = -WARM_RUNS; run < runs; run++) {
      const startedAt = performance.now()
      await ask(caller, run + WARM_RUNS)
      if (run >= 0) times.push(performance.now() - startedAt)
    }
    results.push({ name, kind, p50: quantile(times, 0.5), p99: quantile(times, 0.99) })
  }
  return results
}

function callerOf(origin: string, apiKey: string, nodes: number): Caller {
  async function ask(path: string, init: RequestInit): Promise<unknown> {
    const headers = {
      'x-api-key': apiKey,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    }
    const response = await fetch(origin + path, { ...init, headers })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  const post = async (path: string, body: object) =>
    (await ask(path, { method: 'POST', body: JSON.stringify(body) })) as Answer
  return {
    nodes,
    post,
    get: async (path) => (await ask(path, {})) as Answer,
    async tool(name, input) {
      const params = { name, arguments: input }
      const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
      const answer = (await ask('/mcp', { method: 'POST', body: JSON.stringify(call) })) as {
        result?: { structuredContent?: Answer }
      }
      const content = answer.result?.structuredContent
      if (content === undefined) throw new Error(`${name}: ${JSON.stringify(answer)}`)
      return content
    },
  }
}
