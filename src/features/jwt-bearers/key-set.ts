import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { JwtIssuer } from '../../config/access.ts'
import type { GuardedFetch } from '../../outbound/guarded-fetch.ts'
import { type Clock, HOUR, MINUTE, SECOND } from '../../platform/clock.ts'

/** How old keys may be while the issuer is reachable. */
const FRESH = 10 * MINUTE
/** How old they may be while it is not. */
const STALE = 24 * HOUR
/** An unknown key id makes the keys be read again, but not more often than this: anyone can invent one. */
const LOOK_AGAIN = 30 * SECOND
/** For this long after a failure, no request waits for the issuer again. */
const RETRY = 10 * SECOND
const MAX_BYTES = 512 * 1024

/** The issuer's keys could not be read, and no cached ones are recent enough. */
export class KeysUnavailable extends Error {
  constructor(options?: ErrorOptions) {
    super('the issuer’s keys cannot be read', options)
  }
}

/**
 * Finds the key that a token names in the issuer's key set (RFC 7517). The library's own cache uses its own
 * clock and cannot keep keys while their server is down.
 */
export function createIssuerKeys(
  issuer: JwtIssuer,
  fetch: GuardedFetch,
  clock: Clock,
): JWTVerifyGetKey {
  let known: { find: JWTVerifyGetKey; readAt: number } | undefined
  let reading: Promise<void> | undefined
  let failedAt = Number.NEGATIVE_INFINITY

  const isOlderThan = (age: number) => known === undefined || clock.now() - known.readAt >= age

  async function read(): Promise<void> {
    try {
      const url = issuer.jwksUri ?? (await discover(issuer, fetch))
      const keys = (await readDocument(issuer, fetch, url)) as unknown as JSONWebKeySet
      known = { find: createLocalJWKSet(keys), readAt: clock.now() }
    } catch (cause) {
      failedAt = clock.now()
      throw new KeysUnavailable({ cause })
    } finally {
      reading = undefined
    }
  }

  /** Concurrent callers share one request. */
  async function renew(): Promise<void> {
    if (clock.now() - failedAt < RETRY) throw new KeysUnavailable()
    reading ??= read()
    await reading
  }

  return async (header, token) => {
    if (isOlderThan(FRESH)) {
      await renew().catch((error) => {
        if (isOlderThan(STALE)) throw error
      })
    }
    try {
      return await requireKnown(known).find(header, token)
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey && isOlderThan(LOOK_AGAIN)
      if (!isUnknown) throw error
      await renew()
      return requireKnown(known).find(header, token)
    }
  }
}

function requireKnown<T>(known: T | undefined): T {
  if (known === undefined) throw new KeysUnavailable()
  return known
}

/** The issuer's `jwks_uri` (OpenID Connect Discovery §4); the document must name the same issuer. */
async function discover(issuer: JwtIssuer, fetch: GuardedFetch): Promise<string> {
  const { issuer: name } = issuer
  const url = `${name.replace(/\/$/, '')}/.well-known/openid-configuration`
  const { issuer: says, jwks_uri: keys } = await readDocument(issuer, fetch, url)
  if (says !== name) throw new Error(`the discovery document is that of ${String(says)}`)
  if (typeof keys !== 'string' || !URL.canParse(keys)) throw new Error('no jwks_uri')
  return keys
}

async function readDocument(
  issuer: JwtIssuer,
  fetch: GuardedFetch,
  url: string,
): Promise<Record<string, unknown>> {
  // The issuer's own host is configured; any other URL it points to is untrusted.
  const isOwn = url === issuer.jwksUri || new URL(url).origin === new URL(issuer.issuer).origin
  const { status, body } = await fetch({
    url,
    method: 'GET',
    headers: { accept: 'application/json' },
    trusted: isOwn,
    maxBytes: MAX_BYTES,
  })
  if (status !== 200) throw new Error(`${url} answers ${status}`)
  return JSON.parse(body.toString('utf8'))
}
