import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { isOurResource, issuerOf } from './addresses.ts'
import { type Client, findClient } from './client.ts'
import { oauthErrors } from './errors.ts'
import { answerAt, isRegistered, isUsableRedirect } from './redirect-uri.ts'
import { DEFAULT_SCOPES, MAX_REDIRECT_URI, SCOPES, type Scope } from './schema.ts'

/** An authorization request that holds: whoever says yes to it is answered there. */
export interface AuthorizationRequest {
  readonly client: Client
  readonly redirectUri: string
  readonly challenge: string
  /** What the client asks for, of what there is. */
  readonly scopes: readonly Scope[]
  readonly state: string | undefined
}

/** The address that the client is told of a refusal at. */
export interface RefusedRequest {
  readonly refusedAt: string
}

type Needs = Pick<Ctx, 'keyring' | 'config' | 'clientDocuments'>

/**
 * Reads an authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2). Until client and redirect are
 * known to belong together nothing may lead there: what is wrong with them is thrown, for a page of ours.
 */
export async function readRequest(
  ctx: Needs,
  query: URLSearchParams,
): Promise<AuthorizationRequest | RefusedRequest> {
  for (const name of ['client_id', 'redirect_uri', 'state']) {
    if (query.getAll(name).length > 1) throw new AppError(oauthErrors.invalidRequest)
  }
  const client = await findClient(ctx, query.get('client_id') ?? '')
  const redirectUri = query.get('redirect_uri') ?? ''
  const isAllowed = redirectUri.length <= MAX_REDIRECT_URI && isUsableRedirect(redirectUri)
  if (!isAllowed || !isRegistered(redirectUri, client.redirectUris)) {
    throw new AppError(oauthErrors.invalidRedirect)
  }
  const state = query.get('state') ?? undefined
  const error = faultOf(ctx, query)
  if (error) return { refusedAt: refusalAt(ctx, { redirectUri, state }, error) }
  return {
    client,
    redirectUri,
    challenge: query.get('code_challenge') as string,
    scopes: scopesOf(query.get('scope') ?? ''),
    state,
  }
}

/** Where the client hears that it was refused (RFC 6749 §4.1.2.1), and by whom (RFC 9207 §2). */
export function refusalAt(
  { config }: Pick<Ctx, 'config'>,
  { redirectUri, state }: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
  error: string,
): string {
  return answerAt(redirectUri, { error, state, iss: issuerOf(config) })
}

function faultOf({ config }: Needs, query: URLSearchParams): string | undefined {
  const names = [...query.keys()]
  if (new Set(names).size !== names.length) return 'invalid_request'
  if (!query.has('response_type')) return 'invalid_request'
  if (query.get('response_type') !== 'code') return 'unsupported_response_type'
  const isHashed = query.get('code_challenge_method') === 'S256'
  if (!isHashed || !/^[A-Za-z0-9_-]{43}$/.test(query.get('code_challenge') ?? '')) {
    return 'invalid_request'
  }
  return isOurResource(config, query.get('resource') ?? '') ? undefined : 'invalid_target'
}

/** Names that are not ours are left out (RFC 6749 §3.3); who names none of ours gets the usual ones. */
function scopesOf(text: string): readonly Scope[] {
  const asked = text.split(' ')
  const known = SCOPES.filter((scope) => asked.includes(scope))
  return known.length > 0 ? known : DEFAULT_SCOPES
}
