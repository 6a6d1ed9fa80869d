import { z } from 'zod'
import { whole, yesOrNo } from './setting.ts'

const text = z.string().min(1).optional()
const url = z.url({ protocol: /^https?$/, error: 'an http or https URL' }).optional()

/** A protection of the sign-in flow that earlier systems could switch off, and this one cannot. */
const alwaysOn = (what: string) => ({
  about: `${what} is always on; only true is taken`,
  schema: z.literal(['true', '1'], `${what} cannot be switched off`).optional(),
})

/** Sign-in by a provider of the organisation, browser sessions and the second factor. */
export const SIGN_IN_SETTINGS = {
  MIMIR_OIDC_PROVIDERS: {
    about: 'OpenID Connect providers: JSON, or the path of a file with it',
    secret: true,
    schema: text,
  },
  MIMIR_AUTH_PROVIDER: {
    about: 'one provider by variables: okta, auth0, azure, google, keycloak or generic',
    schema: z.enum(['okta', 'auth0', 'azure', 'google', 'keycloak', 'generic']).optional(),
  },
  MIMIR_OAUTH_PROVIDER_NAME: { about: 'label of its sign-in button', schema: text },
  MIMIR_OAUTH_CLIENT_ID: { about: 'client id of this server at the provider', schema: text },
  MIMIR_OAUTH_CLIENT_SECRET: {
    about: 'client secret at the provider; without one this is a public client',
    secret: true,
    schema: text,
  },
  MIMIR_OAUTH_SCOPE: { about: 'scopes to request', schema: text },
  MIMIR_OAUTH_REDIRECT_URI: {
    about: 'redirect URI: the public URL with /auth/callback',
    schema: url,
  },
  MIMIR_OAUTH_CALLBACK_URL: { about: 'another name of MIMIR_OAUTH_REDIRECT_URI', schema: url },
  MIMIR_OAUTH_AUTHORIZATION_ENDPOINT: { about: 'overrides the discovered endpoint', schema: url },
  MIMIR_OAUTH_AUTHORIZATION_URL: { about: 'alias of the one above', schema: url },
  MIMIR_OAUTH_TOKEN_ENDPOINT: { about: 'overrides the discovered endpoint', schema: url },
  MIMIR_OAUTH_TOKEN_URL: { about: 'alias of the one above', schema: url },
  MIMIR_OAUTH_USERINFO_ENDPOINT: { about: 'overrides the discovered endpoint', schema: url },
  MIMIR_OAUTH_USERINFO_URL: { about: 'alias of the one above', schema: url },
  MIMIR_OAUTH_TIMEOUT_MS: {
    about: "timeout for the provider's answers, in milliseconds",
    schema: whole(100, 60_000).default(10_000),
  },
  MIMIR_OKTA_DOMAIN: { about: 'Okta: like company.okta.com', schema: text },
  MIMIR_OKTA_AUTHORIZATION_SERVER: { about: 'Okta: like default; without: the org', schema: text },
  MIMIR_AUTH0_DOMAIN: { about: 'Auth0: like company.eu.auth0.com', schema: text },
  MIMIR_AUTH0_AUDIENCE: { about: 'Auth0: like MIMIR_OAUTH_AUDIENCE', schema: text },
  MIMIR_AZURE_TENANT_ID: { about: 'Azure: id or domain of the directory', schema: text },
  MIMIR_GOOGLE_HOSTED_DOMAIN: { about: 'Google: the only Workspace domain admitted', schema: text },
  MIMIR_KEYCLOAK_SERVER_URL: { about: 'Keycloak: base URL', schema: url },
  MIMIR_KEYCLOAK_REALM: { about: 'Keycloak: the realm', schema: text },
  MIMIR_OAUTH_ENABLE_PKCE: alwaysOn('PKCE'),
  MIMIR_OAUTH_ENABLE_STATE: alwaysOn('the state'),
  MIMIR_OAUTH_ENABLE_NONCE: alwaysOn('the nonce'),
  MIMIR_OAUTH_STATE_TIMEOUT: {
    about: 'time allowed for signing in at the provider, in seconds',
    schema: whole(60, 3600).default(600),
  },
  MIMIR_APP_REDIRECTS: {
    about: 'redirect URIs allowed for apps after sign-in, besides loopback addresses',
    schema: z.string().default('mimir://signed-in'),
  },
  MIMIR_SESSION_SECONDS: {
    about: 'maximum lifetime of a browser session, in seconds',
    schema: whole(300, 365 * 86_400).default(7 * 86_400),
  },
  MIMIR_SESSION_IDLE_SECONDS: {
    about: 'seconds without a request after which a browser session ends',
    schema: whole(60, 365 * 86_400).default(12 * 3600),
  },
  MIMIR_AI_CLIENT_DAYS: {
    about: 'days after which an AI client must ask for consent again',
    schema: whole(1, 3650).default(180),
  },
  MIMIR_REFUSE_COMMON_PASSWORDS: {
    about: 'true: refuse the most common passwords (password_too_common)',
    schema: yesOrNo.default(false),
  },
  MIMIR_MFA_METHODS: {
    about: 'second factors that people may set up: passkey, totp',
    schema: z.string().default('passkey,totp'),
  },
  MIMIR_MFA_REQUIRED_ROLES: {
    about: 'roles that need a second factor, like owner,admin',
    schema: z.string().default(''),
  },
  MIMIR_MFA_TOTP_ISSUER: {
    about: 'what authenticator apps call this server; default: its host name',
    schema: text,
  },
  MIMIR_MFA_TOTP_WINDOW: {
    about: 'number of 30-second steps that the clock of an authenticator may be off',
    schema: whole(0, 2).default(1),
  },
} as const

/** Names of earlier systems, each with what replaces it. */
export const REPLACED_SIGN_IN_NAMES: Readonly<Record<string, string>> = {
  MIMIR_OAUTH_PROVIDER: 'use MIMIR_AUTH_PROVIDER',
  MIMIR_OAUTH_ALLOW_HTTP: 'name the host of the provider in MIMIR_OUTBOUND_ALLOW',
  MIMIR_OAUTH_REVOCATION_ENDPOINT:
    "the provider's tokens are not kept, so there are none to revoke",
  MIMIR_ENABLE_MFA: 'anyone may set up a second factor; see MIMIR_MFA_REQUIRED_ROLES',
  MIMIR_ENABLE_TOKEN_BINDING: 'it has no defined meaning',
  MIMIR_MAX_TOKEN_AGE_SECONDS: 'use MIMIR_SESSION_SECONDS',
  MIMIR_SESSION_MAX_AGE_HOURS: 'use MIMIR_SESSION_SECONDS',
  MIMIR_AZURE_TENANT_NAME: 'use MIMIR_AZURE_TENANT_ID',
}
