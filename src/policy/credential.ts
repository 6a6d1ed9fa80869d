import { AppError } from '../platform/errors.ts'
import { bearerToken } from './bearer-token.ts'
import { accessErrors, usesAccessCodes } from './errors.ts'

/** What a caller can show: see `src/app/authenticate.ts`, which knows what each is good for. */
export type CredentialKind =
  | 'access-token'
  | 'api-key'
  | 'jwt'
  | 'oauth-token'
  | 'session-cookie'
  | 'atproto'

/** Kinds that are good for single requests alone: they open no connection that outlives its request. */
export const FOR_REQUESTS_ALONE: ReadonlySet<CredentialKind> = new Set(['jwt', 'oauth-token'])

/** A credential as it stands in the request, not yet believed. */
export interface Presented {
  /** `X-API-Key` holds keys alone; a bearer may be any of several. */
  readonly place: 'api-key-header' | 'bearer'
  readonly text: string
}

/** Where a request comes in. Browsers give a WebSocket no headers: the hub alone takes a token from the query. */
export type Door = 'rest' | 'hub' | 'mcp'

/** What the text of every API key that this server makes begins with. */
export const API_KEY_PREFIX = 'mimir_'

/** The same of every access token of our authorization server. */
export const OAUTH_TOKEN_PREFIX = 'mimiroat_'

/**
 * The credential that the request shows on purpose, or undefined; a cookie, which browsers add by
 * themselves, is none. Throws `invalid_request` for two (RFC 6750 §2) and for one in the address.
 */
export function presentedCredential(
  request: Request,
  door: Door,
  operation: string,
): Presented | undefined {
  const key = request.headers.get('x-api-key') || undefined
  const bearer = bearerToken(request.headers)
  if (key !== undefined && bearer !== undefined) throw new AppError(accessErrors.invalidRequest)
  if (key !== undefined) return { place: 'api-key-header', text: key }
  if (bearer !== undefined) return { place: 'bearer', text: bearer }
  const query = new URL(request.url).searchParams
  const token = query.get('access_token')
  if (door === 'hub' && token !== null) return { place: 'bearer', text: token }
  // To the messenger's routes a token in the address has always been none at all.
  const isMisplaced = query.has('api_key') || (token !== null && usesAccessCodes(operation))
  if (isMisplaced) throw new AppError(accessErrors.invalidRequest)
  return undefined
}

/** Whether the request shows a credential on purpose, good or not. */
export function showsCredential({ headers }: Request): boolean {
  return headers.has('x-api-key') || headers.has('authorization')
}

/** Whether the request shows an API key, good or not. */
export function showsApiKey({ headers }: Request): boolean {
  return headers.has('x-api-key') || (bearerToken(headers)?.startsWith(API_KEY_PREFIX) ?? false)
}
