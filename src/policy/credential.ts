import { AppError } from '../platform/errors.ts'
import { bearerToken } from './bearer-token.ts'
import { accessErrors, usesAccessCodes } from './errors.ts'

/** What a caller can present; `src/app/authenticate.ts` decides what each is accepted for. */
export type CredentialKind =
  | 'access-token'
  | 'api-key'
  | 'jwt'
  | 'oauth-token'
  | 'session-cookie'
  | 'atproto'

/** Kinds that are accepted only for single requests and may not open a lasting connection. */
export const FOR_REQUESTS_ALONE: ReadonlySet<CredentialKind> = new Set(['jwt', 'oauth-token'])

/** A credential as presented in the request, not yet verified. */
export interface Presented {
  /** `X-API-Key` holds only keys; a bearer token may be of several kinds. */
  readonly place: 'api-key-header' | 'bearer'
  readonly text: string
}

/** Where a request arrives. Only the hub takes a token in the query: browsers set no WebSocket headers. */
export type Transport = 'rest' | 'hub' | 'mcp'

/** Prefix of every API key that this server issues. */
export const API_KEY_PREFIX = 'mimir_'

/** Prefix of every access token of our authorization server. */
export const OAUTH_TOKEN_PREFIX = 'mimiroat_'

/**
 * Returns the credential that the request presents explicitly, or undefined; cookies, which browsers add
 * by themselves, do not count. Throws `invalid_request` for two (RFC 6750 §2) and for one in the URL.
 */
export function presentedCredential(
  request: Request,
  transport: Transport,
  operation: string,
): Presented | undefined {
  const key = request.headers.get('x-api-key') || undefined
  const bearer = bearerToken(request.headers)
  if (key !== undefined && bearer !== undefined) throw new AppError(accessErrors.invalidRequest)
  if (key !== undefined) return { place: 'api-key-header', text: key }
  if (bearer !== undefined) return { place: 'bearer', text: bearer }
  const query = new URL(request.url).searchParams
  const token = query.get('access_token')
  if (transport === 'hub' && token !== null) return { place: 'bearer', text: token }
  // The messenger's routes have always ignored a token in the URL.
  const isMisplaced = query.has('api_key') || (token !== null && usesAccessCodes(operation))
  if (isMisplaced) throw new AppError(accessErrors.invalidRequest)
  return undefined
}

/** Whether the request presents a credential explicitly, valid or not. */
export function showsCredential({ headers }: Request): boolean {
  return headers.has('x-api-key') || headers.has('authorization')
}

/** Whether the request presents an API key, valid or not. */
export function showsApiKey({ headers }: Request): boolean {
  return headers.has('x-api-key') || (bearerToken(headers)?.startsWith(API_KEY_PREFIX) ?? false)
}
