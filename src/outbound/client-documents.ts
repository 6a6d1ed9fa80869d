import { type Clock, DAY, MINUTE, SECOND } from '../platform/clock.ts'
import { type GuardedFetch, OutboundError } from './guarded-fetch.ts'

/** Such documents are small; the draft recommends a limit of 5 kB. */
const MAX_BYTES = 8 * 1024
const TIMEOUT_MS = 5000
/** Bounded, since any signed-in user can make the server fetch one. */
const MAX_KEPT = 200
/** Bounds and default for the `max-age` of a document. */
const SHORTEST = MINUTE
const USUAL = 10 * MINUTE
const LONGEST = DAY

/** Metadata documents of OAuth clients, at user-supplied URLs. */
export interface ClientDocuments {
  /** Returns the unvalidated document, or undefined if it is not JSON. Throws an `OutboundError`. */
  load(url: string): Promise<unknown>
}

/** Fetches through the guarded fetch and caches documents for a while; failures are not cached. */
export function createClientDocuments(clock: Clock, fetch: GuardedFetch): ClientDocuments {
  const kept = new Map<string, { readonly document: unknown; readonly until: number }>()
  return {
    async load(url) {
      const known = kept.get(url)
      if (known && known.until > clock.now()) return known.document
      kept.delete(url)
      const headers = { accept: 'application/json' }
      const answer = await fetch({
        url,
        method: 'GET',
        headers,
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
      })
      if (answer.status !== 200) throw new OutboundError('unreachable')
      const document = parse(answer.headers, answer.body)
      const [oldest] = kept.keys()
      if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest)
      kept.set(url, { document, until: clock.now() + ageOf(answer.headers) })
      return document
    },
  }
}

function parse(headers: Headers, body: Buffer): unknown {
  const type = headers.get('content-type') ?? ''
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type)) return undefined
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

function ageOf(headers: Headers): number {
  const told = /\bmax-age=(\d{1,9})\b/i.exec(headers.get('cache-control') ?? '')?.[1]
  const age = told === undefined ? USUAL : Number(told) * SECOND
  return Math.min(Math.max(age, SHORTEST), LONGEST)
}
