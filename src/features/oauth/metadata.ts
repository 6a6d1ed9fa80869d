import type { Ctx } from '../../context.ts'
import { issuerOf, resourceOf } from './addresses.ts'
import { SCOPES } from './schema.ts'

/** Metadata of the protected resource /mcp (RFC 9728 §2). */
export function resourceMetadata({ config }: Pick<Ctx, 'config'>) {
  return {
    resource: resourceOf(config),
    authorization_servers: [issuerOf(config)],
    scopes_supported: SCOPES,
    bearer_methods_supported: ['header'],
    resource_name: 'Mimir',
  }
}

/** Metadata of the authorization server (RFC 8414 §2). */
export function serverMetadata({ config }: Pick<Ctx, 'config'>) {
  const issuer = issuerOf(config)
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    registration_endpoint: `${issuer}/oauth/register`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    scopes_supported: SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    protected_resources: [resourceOf(config)],
  }
}
