import { AppError } from '../platform/errors.ts'
import { bearerToken } from './bearer-token.ts'
import { accessErrors } from './errors.ts'

/** What a caller can show: see `src/app/authenticate.ts`, which knows what each is good for. */
export type CredentialKind = 'access-token' | 'api-key' | 'jwt' | 'session-cookie' | 'atproto'

/** A credential as it stands in the request, not yet believed. */
export interface Presented {
  /** `X-API-Key` holds keys alone; a bearer may be any of several. */
  readonly place: 'api-key-header' | 'bearer'
  readonly text: string
}

/** Where a request comes in. Browsers give a WebSocket no headers: the hub alone takes a token from the query. */
export type Door = 'rest' | 'hub'

/**
 * The credential that the request shows on purpose, or undefined; a cookie, which browsers add by
 * themselves, is none. Throws `invalid_request` for two, and for one in a query (RFC 6750 §2).
 */
export function presentedCredential(request: Request, door: Door): Presented | undefined {
  const key = request.headers.get('x-api-key') ?? undefined
  const bearer = bearerToken(request.headers)
  if (key !== undefined && bearer !== undefined) throw new AppError(accessErrors.twoCredentials)
  if (key !== undefined) return { place: 'api-key-header', text: key }
  if (bearer !== undefined) return { place: 'bearer', text: bearer }
  const query = new URL(request.url).searchParams
  const inQuery = query.get('access_token')
  if (door === 'hub') return inQuery === null ? undefined : { place: 'bearer', text: inQuery }
  if (inQuery !== null || query.has('api_key')) {
    throw new AppError(accessErrors.credentialInQuery)
  }
  return undefined
}
