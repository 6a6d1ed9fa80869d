import type { DidDocument } from '@atproto/identity'
import type { Config } from '../config/config.ts'
import { type Clock, MINUTE, SECOND } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import { createGuardedFetch, type GuardedFetch } from './guarded-fetch.ts'

/** Resolves the signing key of a DID. */
export interface DidResolver {
  /**
   * Returns the `#atproto` key of the DID's document as a `did:key`, or undefined if it cannot be resolved.
   * `refresh` bypasses the cache for a rotated key, at most every 30 s, so that forged tokens cannot make
   * this server fetch all the time.
   */
  signingKey(did: string, refresh?: boolean): Promise<string | undefined>
}

/** How long a found key is cached, and how long a failure. */
const FOUND_MS = 10 * MINUTE
const MISSING_MS = MINUTE
/** Shortest time between two refreshes of a DID. */
const REFRESH_GAP_MS = 30 * SECOND
const TIMEOUT_MS = 5 * SECOND
const MAX_KEPT = 10_000

interface Known {
  readonly key: Promise<string | undefined>
  expiresAt: number
}

export function createDidResolver(
  config: Pick<Config, 'outboundAllow' | 'atproto'>,
  clock: Clock,
  log: Logger,
): DidResolver {
  const fetch = createGuardedFetch(config.outboundAllow)
  const known = new Map<string, Known>()
  const refreshed = new Map<string, number>()

  async function look(did: string): Promise<string | undefined> {
    const { getKey } = await import('@atproto/identity')
    const document = await readDocument(fetch, config.atproto.plcUrl, did)
    return document && getKey(document)
  }

  /** Looks the key up; if the DID's server fails, what is `cached` stays valid for as long as it was. */
  function ask(did: string, cached?: Known): Promise<string | undefined> {
    const key = look(did).catch((error: unknown) => {
      log.debug({ err: error, did }, 'a DID could not be resolved')
      if (cached) keep(known, did, cached)
      return cached?.key
    })
    // Concurrent callers wait for the same answer.
    const entry: Known = { key, expiresAt: clock.now() + FOUND_MS }
    keep(known, did, entry)
    void key.then((found) => {
      if (found === undefined) entry.expiresAt = clock.now() + MISSING_MS
    })
    return key
  }

  return {
    async signingKey(did, refresh = false) {
      const entry = known.get(did)
      const isFresh = entry !== undefined && clock.now() < entry.expiresAt
      if (!isFresh) return ask(did)
      if (!refresh || clock.now() - (refreshed.get(did) ?? 0) < REFRESH_GAP_MS) return entry.key
      keep(refreshed, did, clock.now())
      return ask(did, entry)
    },
  }
}

/** Stores an entry; evicts the oldest if there are too many. */
function keep<V>(map: Map<string, V>, did: string, value: V): void {
  map.delete(did)
  map.set(did, value)
  const [oldest] = map.keys()
  if (map.size > MAX_KEPT && oldest !== undefined) map.delete(oldest)
}

async function readDocument(
  fetch: GuardedFetch,
  plcUrl: string,
  did: string,
): Promise<DidDocument | undefined> {
  const place = placeOf(plcUrl, did)
  if (!place) return undefined
  const accept = { accept: 'application/did+ld+json, application/json' }
  const answer = await fetch({ ...place, method: 'GET', headers: accept, timeoutMs: TIMEOUT_MS })
  if (answer.status >= 500) throw new Error(`The DID's server answered ${answer.status}.`)
  if (answer.status !== 200) return undefined
  const { didDocument } = await import('@atproto/identity')
  const parsed = didDocument.safeParse(JSON.parse(answer.body.toString()))
  return parsed.success && parsed.data.id === did ? parsed.data : undefined
}

/** URL of a DID's document (did:plc, and did:web as ATProto restricts it); undefined for other DIDs. */
function placeOf(plcUrl: string, did: string): { url: string; trusted?: true } | undefined {
  if (/^did:plc:[a-z2-7]{24}$/.test(did)) return { url: `${plcUrl}/${did}`, trusted: true }
  // ATProto allows no path. A port is written with %3A.
  const [, name, port] = /^did:web:([a-z0-9.-]+)(?:%3A(\d{1,5}))?$/.exec(did) ?? []
  if (name === undefined) return undefined
  // Plain http only to localhost, and only if the settings allow that host.
  const scheme = name === 'localhost' ? 'http' : 'https'
  return { url: `${scheme}://${name}${port ? `:${port}` : ''}/.well-known/did.json` }
}
