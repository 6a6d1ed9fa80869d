import type { RateStanding } from '../policy/rate-limit.ts'

/** In seconds. Without `includeSubDomains`: subdomains are not ours to decide (RFC 6797 §6.1). */
const ONE_YEAR = 31_536_000

/** Adds the headers that every response has. */
export function withCommonHeaders(
  response: Response,
  requestId: string,
  standing: RateStanding | undefined,
  secure: boolean,
): Response {
  const { headers } = response
  headers.set('x-request-id', requestId)
  headers.set('x-content-type-options', 'nosniff')
  if (!headers.has('referrer-policy')) headers.set('referrer-policy', 'no-referrer')
  headers.set('cross-origin-opener-policy', 'same-origin')
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  if (!headers.has('content-security-policy')) {
    headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  }
  // RFC 9110 §15.5.2 requires it of every 401, including a page that asks for the password again.
  if (response.status === 401 && !headers.has('www-authenticate')) {
    headers.set('www-authenticate', 'Bearer')
  }
  if (secure) headers.set('strict-transport-security', `max-age=${ONE_YEAR}`)
  if (standing) {
    headers.set('ratelimit-limit', String(standing.limit))
    headers.set('ratelimit-remaining', String(standing.remaining))
    headers.set('ratelimit-reset', String(standing.resetSeconds))
  }
  return response
}
