import { BlockList } from 'node:net'
import { join } from 'node:path'
import { addNetwork, parseNetwork } from '../platform/networks.ts'
import {
  DEFAULT_RATE_LIMITS,
  type LimitedRateClass,
  type RateLimit,
} from '../policy/rate-classes.ts'
import { DEFAULT_TENANT } from '../policy/tenant-id.ts'
import { type AccessConfig, readAccess, readEnvironmentKeys, readMcpOrigins } from './access.ts'
import { type AtprotoConfig, readAtproto } from './atproto.ts'
import { type ComplianceConfig, readCompliance } from './compliance.ts'
import { isLoopback } from './loopback.ts'
import { type OidcProvider, readOidc } from './oidc.ts'
import { providersOfTenant } from './oidc-tenants.ts'
import { type OutboundAllowance, readOutboundAllow } from './outbound.ts'
import { type FirebaseConfig, readFirebase, vapidSubject } from './push.ts'
import { splitAddress, splitList } from './setting.ts'
import type { SettingValues } from './settings.ts'
import { type MfaConfig, readAppRedirects, readMfa } from './sign-in.ts'
import { readTenancy, type TenancyConfig, tenantDirectory, tenantSchema } from './tenancy.ts'
import { readTurn, type TurnConfig } from './turn.ts'

/** The checked, derived and frozen settings of a server. Secrets are kept apart in `secrets`. */
export interface Config extends ComplianceConfig {
  /** The tenant that this appliance serves. */
  readonly tenantId: string
  /** Undefined: this is the only tenant. */
  readonly tenancy: TenancyConfig | undefined
  /** This tenant's own. */
  readonly dataDir: string
  readonly paths: {
    readonly database: string
    readonly lock: string
    readonly keys: string
    readonly backups: string
    readonly controlSocket: string
  }
  readonly listen: { readonly host: string; readonly port: number }
  /** Without a trailing slash. */
  readonly publicUrl: string
  /** The path of the public URL: empty, or like `/mimir`. */
  readonly pathPrefix: string
  readonly logLevel: SettingValues['MIMIR_LOG_LEVEL']
  readonly trustedProxies: BlockList
  readonly rateLimits: Readonly<Record<LimitedRateClass, RateLimit>> | 'off'
  readonly groupMaxMembers: number
  readonly attachments: {
    readonly maxBytes: number
    readonly userQuotaBytes: number
    readonly totalBytes: number | undefined
  }
  /** For one person's nodes, edges and their index. */
  readonly memoryQuotaBytes: number
  readonly access: AccessConfig
  readonly jwt: { readonly issuer: string; readonly audience: string }
  readonly databaseConnections: number
  /** The PostgreSQL schema of the tables; undefined: the connection's default. */
  readonly databaseSchema: string | undefined
  readonly smtp: SmtpConfig | undefined
  readonly turn: TurnConfig
  readonly push: { readonly firebase: FirebaseConfig | undefined; readonly vapidSubject: string }
  readonly atproto: AtprotoConfig
  readonly mls: { readonly blobMaxBytes: number; readonly retentionDays: number }
  readonly outboundAllow: OutboundAllowance
  /** Providers that people may sign in with, and how browsers and apps return from there. */
  readonly oidc: {
    readonly providers: readonly OidcProvider[]
    readonly timeoutMs: number
    readonly flowSeconds: number
    readonly appRedirects: readonly string[]
  }
  readonly browserSession: { readonly seconds: number; readonly idleSeconds: number }
  readonly refusesCommonPasswords: boolean
  /** Origins of web pages whose scripts may call /mcp, besides our own. */
  readonly mcpOrigins: readonly string[]
  /** The longest time for which a person can authorize an AI client. */
  readonly aiClientDays: number
  readonly mfa: MfaConfig
  readonly apps: { readonly android: AppRelease; readonly ios: AppRelease }
  /** Start even though the stored messages can no longer be decrypted. */
  readonly acceptLostKeys: boolean
  readonly acceptLostStore: boolean
  readonly bootstrapAdmin: { readonly username: string; readonly email: string } | undefined
  readonly secrets: {
    readonly databaseUrl: string | undefined
    readonly jwtKey: string | undefined
    readonly messageKey: string | undefined
    readonly turnSecret: string | undefined
    readonly bootstrapPassword: string | undefined
    readonly firebaseKey: string | undefined
    /** Of OpenID Connect clients, by the provider's name. */
    readonly oidcClients: Readonly<Record<string, string>>
    /** API keys of the environment: the nth acts as the service `env_n`. */
    readonly apiKeys: readonly string[]
    readonly rbacAuthHeader: string | undefined
    readonly auditWebhookSecret: string | undefined
    readonly auditWebhookAuthorization: string | undefined
    readonly metricsToken: string | undefined
    readonly devTokenSecret: string | undefined
  }
}

export interface SmtpConfig {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly password: string | undefined
  readonly from: string
}

export interface AppRelease {
  readonly minimum: string | undefined
  readonly latest: string | undefined
  readonly downloadUrl: string | undefined
}

/** The tenant whose settings are derived, and where its data is. */
export interface Place {
  /** The data directory of the whole server. */
  readonly rootDir: string
  readonly tenantId: string
  /** The tenant's own file lists providers: those that name no tenant belong to this one. */
  readonly hasOwnProviders: boolean
}

/** Most database connections of a tenant other than the default one. */
const TENANT_CONNECTIONS = 4

/** Cross-checks the values and derives the config; undefined if there are errors, added to `problems`. */
export function deriveConfig(
  values: SettingValues,
  place: Place,
  problems: string[],
): Config | undefined {
  const { rootDir, tenantId } = place
  const dataDir = tenantDirectory(rootDir, tenantId)
  const tenancy = readTenancy(values, rootDir, problems)
  const databaseSchema = tenantSchema(tenantId)
  if (tenancy === undefined && tenantId !== DEFAULT_TENANT) {
    problems.push('MIMIR_ENABLE_MULTI_TENANCY: has to be true for there to be tenants')
  }
  const address = splitAddress(values.MIMIR_LISTEN)
  const listen = { host: address.host, port: values.SERVER_PORT ?? address.port }
  const publicUrl = (values.MIMIR_PUBLIC_URL ?? `http://localhost:${listen.port || 8080}`).replace(
    /\/+$/,
    '',
  )
  const firebase = readFirebase(
    values.FIREBASE_SERVICE_ACCOUNT_PATH,
    values.MIMIR_FCM_ENDPOINT,
    problems,
  )
  const compliance = readCompliance(values, { dataDir, publicUrl }, problems)
  refuseOpenMetrics(compliance, values.MIMIR_METRICS_TOKEN, problems)
  if (compliance.alerts.email && !values.SMTP_HOST) {
    problems.push('MIMIR_ALERT_EMAIL: needs a mail server, SMTP_HOST')
  }
  const oidc = providersOfTenant(readOidc(values, publicUrl, problems), place, tenancy, problems)
  const config: Config = {
    tenantId,
    tenancy,
    dataDir,
    paths: {
      database: join(dataDir, 'mimir.db'),
      lock: join(dataDir, 'lock.db'),
      keys: join(dataDir, 'keys'),
      backups: join(dataDir, 'backups'),
      controlSocket: join(dataDir, 'control.sock'),
    },
    listen,
    publicUrl,
    pathPrefix: new URL(publicUrl).pathname.replace(/\/+$/, ''),
    logLevel: values.MIMIR_LOG_LEVEL,
    trustedProxies: readProxies(values.MIMIR_TRUSTED_PROXIES, problems),
    rateLimits: readRateLimits(values.MIMIR_RATE_LIMITS, listen.host, problems),
    groupMaxMembers: values.MIMIR_GROUP_MAX_MEMBERS,
    attachments: {
      maxBytes: values.MIMIR_ATTACHMENT_MAX_BYTES,
      userQuotaBytes: values.MIMIR_ATTACHMENT_USER_QUOTA_BYTES,
      totalBytes: values.MIMIR_ATTACHMENT_TOTAL_BYTES,
    },
    memoryQuotaBytes: values.MIMIR_MEMORY_USER_QUOTA_BYTES,
    access: readAccess(values, isLoopback(listen.host), oidc.providers, problems),
    jwt: { issuer: values.JWT_ISSUER, audience: values.JWT_AUDIENCE },
    databaseConnections: Math.min(
      values.MIMIR_DATABASE_CONNECTIONS,
      databaseSchema === undefined ? Number.POSITIVE_INFINITY : TENANT_CONNECTIONS,
    ),
    databaseSchema,
    smtp: readSmtp(values, problems),
    turn: readTurn(values, problems),
    push: {
      firebase: firebase?.account,
      vapidSubject: vapidSubject(values.MIMIR_VAPID_SUBJECT, publicUrl),
    },
    atproto: readAtproto(values, listen, publicUrl, problems),
    mls: {
      blobMaxBytes: values.MIMIR_MLS_BLOB_MAX_BYTES,
      retentionDays: values.MIMIR_MLS_RETENTION_DAYS,
    },
    outboundAllow: readOutboundAllow(values.MIMIR_OUTBOUND_ALLOW, problems),
    mcpOrigins: readMcpOrigins(values.MCP_ALLOWED_ORIGIN, problems),
    oidc: {
      providers: oidc.providers,
      timeoutMs: values.MIMIR_OAUTH_TIMEOUT_MS,
      flowSeconds: values.MIMIR_OAUTH_STATE_TIMEOUT,
      appRedirects: readAppRedirects(values.MIMIR_APP_REDIRECTS, problems),
    },
    browserSession: {
      seconds: values.MIMIR_SESSION_SECONDS,
      idleSeconds: values.MIMIR_SESSION_IDLE_SECONDS,
    },
    refusesCommonPasswords: values.MIMIR_REFUSE_COMMON_PASSWORDS,
    aiClientDays: values.MIMIR_AI_CLIENT_DAYS,
    mfa: readMfa(values, publicUrl, problems),
    apps: {
      android: {
        minimum: values.MIN_APP_VERSION_ANDROID,
        latest: values.LATEST_APP_VERSION_ANDROID,
        downloadUrl: values.APP_DOWNLOAD_URL_ANDROID,
      },
      ios: {
        minimum: values.MIN_APP_VERSION_IOS,
        latest: values.LATEST_APP_VERSION_IOS,
        downloadUrl: values.APP_DOWNLOAD_URL_IOS,
      },
    },
    acceptLostKeys: values.MIMIR_ACCEPT_LOST_KEYS,
    acceptLostStore: values.MIMIR_ACCEPT_LOST_STORE,
    bootstrapAdmin: readBootstrapAdmin(values, problems),
    secrets: {
      databaseUrl: values.DATABASE_URL,
      jwtKey: values.JWT_KEY,
      messageKey: values.CRYPTO_MESSAGE_KEY,
      turnSecret: values.TURN_SECRET,
      bootstrapPassword: values.ADMIN_BOOTSTRAP_PASSWORD,
      firebaseKey: firebase?.privateKey,
      oidcClients: oidc.secrets,
      apiKeys: readEnvironmentKeys(values, problems),
      rbacAuthHeader: values.MIMIR_RBAC_AUTH_HEADER,
      auditWebhookSecret: values.MIMIR_AUDIT_WEBHOOK_SECRET,
      auditWebhookAuthorization: values.MIMIR_AUDIT_WEBHOOK_AUTH_HEADER,
      metricsToken: values.MIMIR_METRICS_TOKEN,
      devTokenSecret: values.JWT_SECRET,
    },
    ...compliance,
  }
  return problems.length > 0 ? undefined : deepFreeze(config)
}

function refuseOpenMetrics(
  { metrics: { listen } }: ComplianceConfig,
  token: string | undefined,
  problems: string[],
): void {
  if (!listen || isLoopback(listen.host) || token) return
  problems.push('MIMIR_METRICS_TOKEN: needed where other machines can reach the metrics')
}

function readProxies(list: string, problems: string[]): BlockList {
  const proxies = new BlockList()
  for (const entry of splitList(list)) {
    const network = parseNetwork(entry)
    if (network) addNetwork(proxies, network)
    else problems.push(`MIMIR_TRUSTED_PROXIES: ${entry} is neither an address nor a network`)
  }
  return proxies
}

function readRateLimits(text: string, host: string, problems: string[]): Config['rateLimits'] {
  if (text === 'off') {
    if (isLoopback(host)) return 'off'
    problems.push('MIMIR_RATE_LIMITS: "off" is accepted on a loopback listener only')
  }
  const limits: Record<string, RateLimit> = { ...DEFAULT_RATE_LIMITS }
  for (const entry of text === 'off' ? [] : splitList(text)) {
    const match = /^([a-z-]+)=(\d+)\/(\d+)([smh])$/.exec(entry)
    const [, name = '', requests, count, unit] = match ?? []
    if (!Object.hasOwn(DEFAULT_RATE_LIMITS, name) || Number(requests) < 1 || Number(count) < 1) {
      const known = Object.keys(DEFAULT_RATE_LIMITS).join(', ')
      problems.push(
        `MIMIR_RATE_LIMITS: ${entry} is not like auth-login=10/1m with a name of ${known}`,
      )
      continue
    }
    const seconds = Number(count) * (unit === 'h' ? 3600 : unit === 'm' ? 60 : 1)
    limits[name] = { requests: Number(requests), seconds }
  }
  return limits as Record<LimitedRateClass, RateLimit>
}

function readSmtp(values: SettingValues, problems: string[]): SmtpConfig | undefined {
  if (!values.SMTP_HOST) return undefined
  const from = values.SMTP_FROM ?? values.SMTP_USER
  if (!from) {
    problems.push('SMTP_FROM: needed when SMTP_HOST is set and SMTP_USER is not')
    return undefined
  }
  const { SMTP_HOST: host, SMTP_PORT: port, SMTP_USER: user, SMTP_PASSWORD: password } = values
  return { host, port, user, password, from }
}

function readBootstrapAdmin(values: SettingValues, problems: string[]): Config['bootstrapAdmin'] {
  const username = values.ADMIN_BOOTSTRAP_USERNAME
  const email = values.ADMIN_BOOTSTRAP_EMAIL
  const password = values.ADMIN_BOOTSTRAP_PASSWORD
  if (!username && !email && !password) return undefined
  if (email && password) {
    const fromEmail = email.split('@')[0]?.replace(/[^A-Za-z0-9_]/g, '_') ?? 'admin'
    return { username: username ?? fromEmail, email }
  }
  problems.push('ADMIN_BOOTSTRAP_EMAIL and ADMIN_BOOTSTRAP_PASSWORD: set both or neither')
  return undefined
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (inner && typeof inner === 'object' && !(inner instanceof BlockList)) deepFreeze(inner)
  }
  return Object.freeze(value)
}
