import { z } from 'zod'
import { LOG_LEVELS } from '../platform/log.ts'
import { ACCESS_SETTINGS } from './access-settings.ts'
import { COMPLIANCE_SETTINGS, REPLACED_COMPLIANCE_NAMES } from './compliance-settings.ts'
import { EARLIER_ACCESS_NAMES } from './earlier-access-names.ts'
import {
  defineSettings,
  hostAndPort,
  httpUrl,
  optionalText,
  text,
  whole,
  yesOrNo,
} from './setting.ts'
import { REPLACED_SIGN_IN_NAMES, SIGN_IN_SETTINGS } from './sign-in-settings.ts'
import { TENANCY_SETTINGS } from './tenancy-settings.ts'

const version = z
  .string()
  .regex(/^\d+(\.\d+)*$/, 'numbers joined by dots, like 1.4.0')
  .optional()
// The path becomes part of routes and links: only characters that need no escaping, no query or fragment.
const publicUrl = z
  .string()
  .regex(
    /^https?:\/\/[^\s/?#@]+(\/[A-Za-z0-9._~-]+)*\/?$/,
    'like https://host or https://host/path',
  )
  .refine((value) => URL.canParse(value), 'an http or https URL')

/** Every setting. Names without `MIMIR_` are those that users of the earlier systems already have. */
export const SETTINGS = defineSettings({
  MIMIR_LISTEN: {
    about: 'address and port to listen on; port 0 picks a free one',
    schema: hostAndPort.default('127.0.0.1:8080'),
  },
  SERVER_PORT: {
    about: 'port to listen on, instead of the one in MIMIR_LISTEN',
    schema: whole(0, 65535).optional(),
  },
  MIMIR_PUBLIC_URL: {
    about: 'the address people use, with its path if a proxy serves one, like https://host/mimir',
    schema: publicUrl.optional(),
  },
  DATABASE_URL: {
    about: 'postgres://… instead of the embedded store',
    secret: true,
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'a postgres:// URL')
      .refine((value) => URL.canParse(value), 'a URL: escape # and the like in the password')
      .optional(),
  },
  MIMIR_DATABASE_CONNECTIONS: {
    about: 'maximum number of connections to PostgreSQL',
    schema: whole(1, 500).default(20),
  },
  MIMIR_LOG_LEVEL: {
    about: 'log level: trace, debug, info, warn, error, fatal or silent',
    schema: z.enum(LOG_LEVELS).default('info'),
  },
  MIMIR_TRUSTED_PROXIES: {
    about:
      'addresses or networks (CIDR), comma separated, of proxies whose X-Forwarded-For is trusted',
    schema: z.string().default(''),
  },
  MIMIR_RATE_LIMITS: {
    about: 'like auth-login=10/1m,friend-request=5/1m; "off" only on a loopback listener',
    schema: z.string().default(''),
  },
  MIMIR_GROUP_MAX_MEMBERS: {
    about: 'maximum number of members of a group',
    schema: whole(2, 10_000).default(50),
  },
  MIMIR_ATTACHMENT_MAX_BYTES: {
    about: 'largest attachment, in bytes',
    schema: whole(1, 2 ** 40).default(100 * 1024 * 1024),
  },
  MIMIR_ATTACHMENT_USER_QUOTA_BYTES: {
    about: 'quota for the attachments of one person, in bytes',
    schema: whole(1, 2 ** 50).default(5 * 1024 ** 3),
  },
  MIMIR_ATTACHMENT_TOTAL_BYTES: {
    about: 'quota for all attachments together, in bytes; without it the disk is the limit',
    schema: whole(1, 2 ** 50).optional(),
  },
  MIMIR_MEMORY_USER_QUOTA_BYTES: {
    about: 'quota for the memory nodes of one person with their edges and index, in bytes',
    schema: whole(1, 2 ** 50).default(1024 ** 3),
  },
  ...ACCESS_SETTINGS,
  JWT_KEY: {
    about: 'signs access tokens; at least 32 characters',
    secret: true,
    schema: z.string().min(32, 'at least 32 characters').optional(),
  },
  JWT_ISSUER: { about: 'issuer of access tokens', schema: text.default('mimir-api') },
  JWT_AUDIENCE: { about: 'audience of access tokens', schema: text.default('mimir-mobile') },
  CRYPTO_MESSAGE_KEY: {
    about: 'seals messages at rest; 32 bytes in base64',
    secret: true,
    schema: z
      .string()
      .regex(/^[A-Za-z0-9+/_-]{43}=?$/, '32 bytes in base64')
      .optional(),
  },
  MIMIR_ACCEPT_LOST_KEYS: {
    about:
      'true: start although the keys of stored messages are lost; those messages stay unreadable',
    schema: yesOrNo.default(false),
  },
  MIMIR_ACCEPT_LOST_STORE: {
    about: 'true: start with an empty store although there are keys from an earlier one',
    schema: yesOrNo.default(false),
  },
  ADMIN_BOOTSTRAP_USERNAME: { about: 'first administrator: username', schema: optionalText },
  ADMIN_BOOTSTRAP_EMAIL: { about: 'first administrator: e-mail', schema: optionalText },
  ADMIN_BOOTSTRAP_PASSWORD: {
    about: 'first administrator: password',
    secret: true,
    schema: optionalText,
  },
  SMTP_HOST: {
    about: 'mail server; without it e-mail verification is skipped',
    schema: optionalText,
  },
  SMTP_PORT: { about: 'port of the mail server', schema: whole(1, 65535).default(587) },
  SMTP_USER: { about: 'user at the mail server', schema: optionalText },
  SMTP_PASSWORD: { about: 'password at the mail server', secret: true, schema: optionalText },
  SMTP_FROM: { about: 'sender address; default: SMTP_USER', schema: optionalText },
  FIREBASE_SERVICE_ACCOUNT_PATH: {
    about: "file of the Firebase service account's key; without it there is no push through FCM",
    schema: optionalText,
  },
  MIMIR_FCM_ENDPOINT: {
    about: 'address of FCM, for tests: a loopback address',
    schema: httpUrl.optional(),
  },
  MIMIR_VAPID_SUBJECT: {
    about: 'contact for web push services (VAPID): mailto: or https:',
    schema: z
      .string()
      .regex(/^(mailto:.+@.+|https:\/\/.+)$/, 'a mailto: or https: address')
      .optional(),
  },
  MIMIR_OUTBOUND_ALLOW: {
    about:
      'hosts, addresses or networks (CIDR) of private networks that outgoing requests may reach',
    schema: z.string().default(''),
  },
  SERVICE_DID: {
    about: 'DID that service tokens must be issued for; default: did:web: with the public host',
    schema: z
      .string()
      .regex(/^did:[a-z]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._-]$/, 'a DID, without a fragment')
      .optional(),
  },
  ENFORCE_LXM: {
    about: 'true: a service token must name the called method (lxm)',
    schema: yesOrNo.default(true),
  },
  ENFORCE_JTI: {
    about: 'true: a service token must have a jti and can be used only once',
    schema: yesOrNo.default(true),
  },
  JTI_TTL_SECONDS: {
    about: 'minimum time that a jti is remembered, in seconds',
    schema: whole(1, 86_400).default(120),
  },
  MIMIR_PLC_URL: {
    about: 'directory for resolving did:plc',
    schema: httpUrl.default('https://plc.directory'),
  },
  MIMIR_ATPROTO_ADMISSION: {
    about: 'who from other networks gets an account: invite, allowlist or open',
    schema: z.enum(['invite', 'allowlist', 'open']).default('invite'),
  },
  MIMIR_ATPROTO_ALLOWLIST: {
    about: 'DIDs admitted by MIMIR_ATPROTO_ADMISSION=allowlist, comma separated',
    schema: z.string().default(''),
  },
  MIMIR_ATPROTO_DEV_TOKENS: {
    about: 'true: accept service tokens signed with JWT_SECRET; only on a loopback listener',
    schema: yesOrNo.default(false),
  },
  JWT_SECRET: {
    about: 'verifies service tokens for development (HS256); at least 32 characters',
    secret: true,
    schema: z.string().min(32, 'at least 32 characters').optional(),
  },
  ENABLE_DIRECT_XRPC_PROXY: {
    about: 'true: forward unknown XRPC methods to UPSTREAM_XRPC_BASE; only on a loopback listener',
    schema: yesOrNo.default(false),
  },
  UPSTREAM_XRPC_BASE: {
    about: 'where ENABLE_DIRECT_XRPC_PROXY forwards to',
    schema: httpUrl.default('http://127.0.0.1:3000'),
  },
  MIMIR_MLS_BLOB_MAX_BYTES: {
    about: 'largest encrypted file of an encrypted conversation, in bytes',
    schema: whole(1, 50 * 1024 * 1024).default(10 * 1024 * 1024),
  },
  MIMIR_MLS_RETENTION_DAYS: {
    about: 'days after which encrypted messages are deleted that every device has read',
    schema: whole(1, 3650).default(30),
  },
  TURN_HOST: {
    about: 'host of the TURN server; without it calls use no relay',
    schema: optionalText,
  },
  TURN_REALM: { about: 'realm of the TURN server; default: TURN_HOST', schema: optionalText },
  TURN_PORT: {
    about: 'port of the TURN server, UDP and TCP',
    schema: whole(1, 65535).default(3478),
  },
  TURN_TLS_PORT: {
    about: 'port of the TURN server for TLS; 0: none',
    schema: whole(0, 65535).default(5349),
  },
  TURN_ALLOWED_PEERS: {
    about: 'private addresses, or ranges FROM-TO, that the relay may reach: for calls inside a LAN',
    schema: z.string().default(''),
  },
  TURN_SECRET: {
    about: "the TURN server's static-auth-secret",
    secret: true,
    // It becomes a line of turnserver.conf.
    schema: z
      .string()
      .regex(/^[!-~]+( +[!-~]+)*$/, 'printable ASCII on one line')
      .optional(),
  },
  MIN_APP_VERSION_ANDROID: {
    about: 'oldest Android app version that may connect',
    schema: version,
  },
  MIN_APP_VERSION_IOS: { about: 'oldest iOS app version that may connect', schema: version },
  LATEST_APP_VERSION_ANDROID: { about: 'newest Android app version', schema: version },
  LATEST_APP_VERSION_IOS: { about: 'newest iOS app version', schema: version },
  APP_DOWNLOAD_URL_ANDROID: {
    about: 'download URL of the Android app',
    schema: httpUrl.optional(),
  },
  APP_DOWNLOAD_URL_IOS: { about: 'download URL of the iOS app', schema: httpUrl.optional() },
  ...COMPLIANCE_SETTINGS,
  ...SIGN_IN_SETTINGS,
  ...TENANCY_SETTINGS,
})

export type SettingName = keyof typeof SETTINGS
export type SettingValues = { [K in SettingName]: z.output<(typeof SETTINGS)[K]['schema']> }

/** Names read by programs around the server: known, but not its settings. */
export const OTHER_NAMES = new Set(['MIMIR_DATA_DIR', 'MIMIR_TENANT', 'MIMIR_TEST_POSTGRES'])

const NO_REDIS = 'the server is one process and needs no Redis'

/** Names of earlier systems that are not used here, each with what replaces it. */
export const REPLACED_NAMES: Readonly<Record<string, string>> = {
  ...REPLACED_SIGN_IN_NAMES,
  MIMIR_PORT: 'use MIMIR_LISTEN=HOST:PORT or SERVER_PORT',
  MIMIR_SERVER_URL: 'use MIMIR_PUBLIC_URL',
  MIMIR_ENV: 'the server behaves the same everywhere',
  MIMIR_JWT_SECRET: 'use JWT_KEY',
  MIMIR_JWT_ISSUER: 'use JWT_ISSUER',
  MIMIR_JWT_AUDIENCE: 'use JWT_AUDIENCE',
  MIMIR_REDIS_URL: NO_REDIS,
  REDIS_URL: NO_REDIS,
  ...EARLIER_ACCESS_NAMES,
  ...REPLACED_COMPLIANCE_NAMES,
}
