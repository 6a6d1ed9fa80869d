import type { Ctx } from '../../context.ts'
import { AppError, type ErrorDefinition } from '../../platform/errors.ts'
import { isOurResource, issuerOf } from './addresses.ts'
import { type Client, findClient } from './client.ts'
import { oauthErrors } from './errors.ts'
import { answerAt, isRegistered, isUsableRedirect } from './redirect-uri.ts'
import { DEFAULT_SCOPES, MAX_REDIRECT_URI, SCOPES, type Scope } from './schema.ts'

/** A valid authorization request: the user's consent is reported to its redirect URI. */
export interface AuthorizationRequest {
  readonly client: Client
  readonly redirectUri: string
  readonly challenge: string
  /** The requested scopes that exist here. */
  readonly scopes: readonly Scope[]
  readonly state: string | undefined
}

type Needs = Pick<Ctx, 'keyring' | 'config' | 'clientDocuments'>

/**
 * Parses an authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2). Errors are thrown and shown
 * on a page of ours. RFC 6749 §4.1.2.1 would report most of them to the redirect URI, but here anyone can
 * register a client, and an invalid request would make this server an open redirector. RFC 9700 §4.11.2
 * allows such redirects only to trusted URIs: only the user's own decision redirects there.
 */
export async function readRequest(
  ctx: Needs,
  query: URLSearchParams,
): Promise<AuthorizationRequest> {
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
  const fault = faultOf(ctx, query)
  if (fault) throw new AppError(fault)
  return {
    client,
    redirectUri,
    challenge: query.get('code_challenge') as string,
    scopes: scopesOf(query.get('scope') ?? ''),
    state,
  }
}

/** Where the client learns that the user refused (RFC 6749 §4.1.2.1), and from which issuer (RFC 9207 §2). */
export function refusalAt(
  { config }: Pick<Ctx, 'config'>,
  { redirectUri, state }: AuthorizationRequest,
): string {
  return answerAt(redirectUri, {
    error: 'access_denied',
    error_description: 'The user did not allow it.',
    state,
    iss: issuerOf(config),
  })
}

function faultOf({ config }: Needs, query: URLSearchParams): ErrorDefinition | undefined {
  const names = [...query.keys()]
  if (new Set(names).size !== names.length) return oauthErrors.invalidRequest
  if (!query.has('response_type')) return oauthErrors.invalidRequest
  if (query.get('response_type') !== 'code') return oauthErrors.unsupportedResponseType
  const isHashed = query.get('code_challenge_method') === 'S256'
  if (!isHashed || !/^[A-Za-z0-9_-]{43}$/.test(query.get('code_challenge') ?? '')) {
    return oauthErrors.invalidRequest
  }
  return isOurResource(config, query.get('resource') ?? '') ? undefined : oauthErrors.invalidTarget
}

/** Unknown names are ignored (RFC 6749 §3.3); a request that names no known one gets the defaults. */
function scopesOf(text: string): readonly Scope[] {
  const asked = text.split(' ')
  const known = SCOPES.filter((scope) => asked.includes(scope))
  return known.length > 0 ? known : DEFAULT_SCOPES
}
