import type { Ctx } from '../../context.ts'
import { AppError, type ErrorDefinition } from '../../platform/errors.ts'
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

type Needs = Pick<Ctx, 'keyring' | 'config' | 'clientDocuments'>

/**
 * Reads an authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2). What is wrong with it is thrown,
 * for a page of ours. RFC 6749 §4.1.2.1 would have most of it told at the client's address; but here anybody
 * makes a client, so that a wrong request would be a link of ours that leads wherever its maker likes. RFC 9700
 * §4.11.2 lets only trusted addresses be led to like this: the person's own answer alone leads there.
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

/** Where the client hears that the person refused (RFC 6749 §4.1.2.1), and by whom (RFC 9207 §2). */
export function refusalAt(
  { config }: Pick<Ctx, 'config'>,
  { redirectUri, state }: AuthorizationRequest,
): string {
  return answerAt(redirectUri, { error: 'access_denied', state, iss: issuerOf(config) })
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

/** Names that are not ours are left out (RFC 6749 §3.3); who names none of ours gets the usual ones. */
function scopesOf(text: string): readonly Scope[] {
  const asked = text.split(' ')
  const known = SCOPES.filter((scope) => asked.includes(scope))
  return known.length > 0 ? known : DEFAULT_SCOPES
}
