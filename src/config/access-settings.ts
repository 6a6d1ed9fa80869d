import { z } from 'zod'
import { AUTH_METHODS } from '../policy/auth-methods.ts'
import { whole } from './setting.ts'

const text = z.string().min(1)
const httpUrl = z.url({ protocol: /^https?$/, error: 'an http or https URL' })

/** Settings of authentication and authorization. */
export const ACCESS_SETTINGS = {
  MIMIR_ENABLE_SECURITY: {
    about:
      'false: anyone who can reach the server is an administrator; only on a loopback listener',
    schema: z.stringbool('true or false').default(true),
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
    schema: text.optional(),
  },
  MIMIR_API_KEYS: {
    about: 'more of them, comma separated; they act as the services env_2, env_3 …',
    secret: true,
    schema: text.optional(),
  },
  MIMIR_API_KEY_MAX_DAYS: {
    about:
      'longest lifetime of an API key, in days; only administrators may make keys that never expire',
    schema: whole(1, 3650).default(365),
  },
  MIMIR_RBAC_CONFIG: {
    about: 'further roles: a file, an http(s) URL, or the JSON itself; read again at SIGHUP',
    schema: text.optional(),
  },
  MIMIR_RBAC_AUTH_HEADER: {
    about: 'the Authorization header for a MIMIR_RBAC_CONFIG that is a URL',
    secret: true,
    schema: text.optional(),
  },
  MIMIR_OAUTH_ISSUER: {
    about: 'issuer of the identity provider, exactly as its tokens have it',
    schema: httpUrl.optional(),
  },
  MIMIR_OAUTH_AUDIENCE: {
    about: 'audience that bearer tokens of the identity provider must name',
    schema: text.optional(),
  },
  MIMIR_OAUTH_JWKS_URI: {
    about: "URL of the issuer's keys (JWKS); default: from its discovery document",
    schema: httpUrl.optional(),
  },
} as const
