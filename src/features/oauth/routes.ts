import { z } from 'zod'
import { readForm, readJson } from '../../http/body.ts'
import { defineRawRoute, defineRoute } from '../../http/define-route.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { oauthErrors } from './errors.ts'
import { getGrants, revokeGrant, revokeToken } from './grants.ts'
import { resourceMetadata, serverMetadata } from './metadata.ts'
import { redeemCode } from './redeem.ts'
import { refreshTokens } from './refresh.ts'
import { registerClient } from './registration.ts'
import {
  CodeRequest,
  OAuthGrant,
  OAuthGrantId,
  RefreshRequest,
  RevocationRequest,
} from './schema.ts'

const MAX_BYTES = 16 * 1024
/** The metadata change only with the settings. */
const CACHED = { 'cache-control': 'public, max-age=300' }

const metadataRoutes = [
  ...(['', '/mcp'] as const).map((suffix) =>
    defineRawRoute({
      method: 'get',
      path: `/.well-known/oauth-protected-resource${suffix}`,
      summary: 'The protected resource metadata of /mcp (RFC 9728)',
      permission: 'public',
      rate: 'unlimited',
      crossOrigin: '*',
      respond: async (ctx) => Response.json(resourceMetadata(ctx), { headers: CACHED }),
    }),
  ),
  defineRawRoute({
    method: 'get',
    path: '/.well-known/oauth-authorization-server',
    summary: 'What the authorization server can do (RFC 8414)',
    permission: 'public',
    rate: 'unlimited',
    crossOrigin: '*',
    respond: async (ctx) => Response.json(serverMetadata(ctx), { headers: CACHED }),
  }),
]

/** Endpoints that clients call themselves, with the error codes of RFC 6749 §5.2. */
const clientRoutes = [
  defineRawRoute({
    method: 'post',
    path: '/oauth/register',
    summary: 'Register a client (RFC 7591)',
    permission: 'public',
    rate: 'oauth-register',
    refusal: 'oauth',
    crossOrigin: '*',
    respond: async (ctx, _actor, { request }) => {
      const body = await readJson(request, MAX_BYTES)
      return Response.json(registerClient(ctx, body), { status: 201 })
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/oauth/token',
    summary: 'Exchange a code or a refresh token for tokens (RFC 6749)',
    permission: 'public',
    rate: 'oauth-token',
    refusal: 'oauth',
    crossOrigin: '*',
    respond: async (ctx, actor, { request }) => {
      const form = await readForm(request, MAX_BYTES)
      switch (form.grant_type) {
        case 'authorization_code':
          return Response.json(await redeemCode(ctx, actor, parse(CodeRequest, form)))
        case 'refresh_token':
          return Response.json(await refreshTokens(ctx, actor, parse(RefreshRequest, form)))
        case undefined:
          throw new AppError(oauthErrors.invalidRequest)
        default:
          throw new AppError(oauthErrors.unsupportedGrantType)
      }
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/oauth/revoke',
    summary: 'Revoke a token (RFC 7009)',
    permission: 'public',
    rate: 'oauth-token',
    refusal: 'oauth',
    crossOrigin: '*',
    respond: async (ctx, actor, { request }) => {
      const form = await readForm(request, MAX_BYTES)
      await revokeToken(ctx, actor, parse(RevocationRequest, form))
      return new Response(null, { status: 200 })
    },
  }),
]

export const routes = [
  ...metadataRoutes,
  ...clientRoutes,
  defineRoute({
    method: 'get',
    path: '/api/me/oauth-grants',
    summary: 'The AI clients you have allowed',
    permission: 'signed-in',
    rate: 'unlimited',
    status: 200,
    output: z.array(OAuthGrant),
    run: getGrants,
  }),
  defineRoute({
    method: 'delete',
    path: '/api/me/oauth-grants/{id}',
    summary: 'Revoke the access of an AI client',
    permission: 'signed-in',
    rate: 'unlimited',
    params: OAuthGrantId,
    status: 204,
    output: null,
    errors: [commonErrors.notFound],
    run: revokeGrant,
  }),
]

function parse<T extends z.ZodType>(schema: T, form: Record<string, string>): z.output<T> {
  const parsed = schema.safeParse(form)
  if (!parsed.success) throw new AppError(oauthErrors.invalidRequest)
  return parsed.data
}
