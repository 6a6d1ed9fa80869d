import { z } from 'zod'
import { uuid } from '../../platform/text.ts'
import type { Permission } from '../../policy/permissions.ts'

/** The scopes that a client can be granted, in the order in which users see them. */
export const SCOPES = [
  'mcp:read',
  'mcp:write',
  'mcp:admin',
  'conversations:read',
  'messages:read',
  'messages:search',
  'messages:write',
] as const satisfies readonly Permission[]

export type Scope = (typeof SCOPES)[number]

/** The scopes of a client that requests none by name. */
export const DEFAULT_SCOPES: readonly Scope[] = ['mcp:read', 'mcp:write']

export const MAX_REDIRECT_URI = 500
const MAX_REDIRECT_URIS = 20

/** Client metadata (RFC 7591 §2), as far as it is used here; other fields are ignored. */
export const ClientMetadata = z.object({
  client_name: z.string().max(1000).optional(),
  redirect_uris: z.array(z.string().max(MAX_REDIRECT_URI)).min(1).max(MAX_REDIRECT_URIS),
})
export type ClientMetadata = z.output<typeof ClientMetadata>

/**
 * A client ID metadata document (draft-ietf-oauth-client-id-metadata-document §4.1). Clients that
 * authenticate by a key are not supported: accepted without that proof, they would be weaker than they claim.
 */
export const ClientDocument = ClientMetadata.extend({
  client_id: z.string(),
  client_secret: z.never().optional(),
  token_endpoint_auth_method: z.literal('none').optional(),
})

/** A request to the token endpoint (RFC 6749 §4.1.3 and §6). */
export const CodeRequest = z.object({
  client_id: z.string().min(1),
  code: z.string().min(1),
  code_verifier: z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/),
  redirect_uri: z.string().optional(),
  resource: z.string().optional(),
})
export type CodeRequest = z.output<typeof CodeRequest>

export const RefreshRequest = z.object({
  client_id: z.string().min(1),
  refresh_token: z.string().min(1),
  scope: z.string().optional(),
  resource: z.string().optional(),
})
export type RefreshRequest = z.output<typeof RefreshRequest>

export const RevocationRequest = z.object({
  client_id: z.string().min(1),
  token: z.string().min(1),
})
export type RevocationRequest = z.output<typeof RevocationRequest>

/** The response of the token endpoint (RFC 6749 §5.1). */
export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly refresh_token: string
  readonly scope: string
}

/** A client that a user has granted access. */
export const OAuthGrant = z.strictObject({
  id: uuid,
  clientId: z.string(),
  /** The client's name for itself. */
  clientName: z.string(),
  /** The host that vouches for the name; null if none does. */
  clientHost: z.string().nullable(),
  /** Where the user was redirected. */
  redirectUri: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime(),
  /** When it expires if it is not used before. */
  expiresAt: z.iso.datetime(),
  /** When it ends however often it is used. */
  endsAt: z.iso.datetime(),
})
export type OAuthGrant = z.output<typeof OAuthGrant>

export const OAuthGrantId = z.object({ id: uuid })
export type OAuthGrantId = z.output<typeof OAuthGrantId>
