import type { CustomFetch } from 'openid-client'
import { type GuardedFetch, OutboundError } from '../guarded-fetch.ts'
import { OidcError } from './errors.ts'

/** Key sets and metadata of large providers are tens of kilobytes. */
const MAX_BYTES = 512 * 1024
/** Headers that describe the body in transit, not as it is here. */
const OF_THE_WAY = ['content-encoding', 'content-length', 'transfer-encoding']

/** Adapts the guarded fetch to the interface of the OpenID Connect library. */
export function fetchOver(fetch: GuardedFetch, timeoutMs: number): CustomFetch {
  return async (url, { method, headers, body }) => {
    const answer = await fetch({
      url,
      method: method === 'POST' ? 'POST' : 'GET',
      headers: Object.fromEntries(new Headers(headers as HeadersInit)),
      ...(body === undefined || body === null ? {} : { body: String(body) }),
      timeoutMs,
      maxBytes: MAX_BYTES,
    })
    if (answer.status >= 500) {
      throw new OidcError('unavailable', `the provider answered ${answer.status}`)
    }
    for (const name of OF_THE_WAY) answer.headers.delete(name)
    const hasBody = answer.status !== 204 && answer.status !== 304
    return new Response(hasBody ? new Uint8Array(answer.body) : null, {
      status: answer.status,
      headers: answer.headers,
    })
  }
}

/** Whether the network or the provider failed, however deeply the cause is wrapped. */
export function isUnavailable(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof OutboundError) return true
    if (one instanceof OidcError && one.reason === 'unavailable') return true
  }
  return false
}
