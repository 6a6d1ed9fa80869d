import type { CustomFetch } from 'openid-client'
import { type GuardedFetch, OutboundError } from '../guarded-fetch.ts'
import { OidcError } from './errors.ts'

/** Key sets and documents of large providers are tens of kilobytes. */
const MOST_BYTES = 512 * 1024
/** What describes the body as it was on the way, not as it is here. */
const OF_THE_WAY = ['content-encoding', 'content-length', 'transfer-encoding']

/** The guarded way out in the form that the protocol's library asks for. */
export function fetchOver(fetch: GuardedFetch, timeoutMs: number): CustomFetch {
  return async (url, { method, headers, body }) => {
    const answer = await fetch({
      url,
      method: method === 'POST' ? 'POST' : 'GET',
      headers: Object.fromEntries(new Headers(headers as HeadersInit)),
      ...(body === undefined || body === null ? {} : { body: String(body) }),
      timeoutMs,
      maxBytes: MOST_BYTES,
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

/** Whether the reason lies in the network or in the provider's health, however deep it was wrapped. */
export function isUnavailable(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof OutboundError) return true
    if (one instanceof OidcError && one.reason === 'unavailable') return true
  }
  return false
}
