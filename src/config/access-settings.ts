import { z } from 'zod'
import { AUTH_METHODS } from '../policy/auth-methods.ts'
import { defineSettings, httpUrl, optionalText, whole, yesOrNo } from './setting.ts'

/** Settings of authentication and authorization. */
export const ACCESS_SETTINGS = defineSettings({
  MIMIR_ENABLE_SECURITY: {
    about:
      'false: anyone who can reach the server is an administrator; only on a loopback listener',
    schema: yesOrNo.default(true),
  },
  MIMIR_AUTH_METHODS: {
    about: `what is accepted, of ${AUTH_METHODS.join(',')}; default: all that are configured`,
    emptyCounts: true,
    schema: z.string().optional(),
  },
  MIMIR_DEFAULT_AUTH_METHOD: {
    about: 'the method that callers without a credential are pointed to; one of MIMIR_AUTH_METHODS',
    schema: z.enum(AUTH_METHODS, `one of ${AUTH_METHODS.join(', ')}`).optional(),
  },
  MIMIR_API_KEY: {
    about: 'an API key of your own choice, at least 32 characters; it acts as the service env_1',
    secret: true,
    schema: optionalText,
  },
  MIMIR_API_KEYS: {
    about: 'more of them, comma separated; they act as the services env_2, env_3 …',
    secret: true,
    schema: optionalText,
  },
  MIMIR_API_KEY_MAX_DAYS: {
    about:
      'longest lifetime of an API key, in days; only administrators may make keys that never expire',
    schema: whole(1, 3650).default(365),
  },
  MCP_ALLOWED_ORIGIN: {
    about:
      'origins of web pages, comma separated, whose scripts may call /mcp with a key or token; default: only our own',
    schema: z.string().default(''),
  },
  MIMIR_RBAC_CONFIG: {
    about: 'further roles: a file, an http(s) URL, or the JSON itself; read again at SIGHUP',
    schema: optionalText,
  },
  MIMIR_RBAC_AUTH_HEADER: {
    about: 'the Authorization header for a MIMIR_RBAC_CONFIG that is a URL',
    secret: true,
    schema: optionalText,
  },
  MIMIR_OAUTH_ISSUER: {
    about: 'issuer of the identity provider, exactly as its tokens have it',
    schema: httpUrl.optional(),
  },
  MIMIR_OAUTH_AUDIENCE: {
    about: 'audience that bearer tokens of the identity provider must name',
    schema: optionalText,
  },
  MIMIR_OAUTH_JWKS_URI: {
    about: "URL of the issuer's keys (JWKS); default: from its discovery document",
    schema: httpUrl.optional(),
  },
})
