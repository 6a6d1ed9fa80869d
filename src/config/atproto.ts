import { isLoopback } from './loopback.ts'
import { splitList } from './setting.ts'
import type { SettingValues } from './settings.ts'

/** ATProto identities, and what is accepted from them. */
export interface AtprotoConfig {
  /** The audience of service tokens. */
  readonly serviceDid: string
  /** What the DIDs of local accounts begin with: `did:web:HOST:u:`. */
  readonly localDidPrefix: string
  readonly enforceLxm: boolean
  readonly enforceJti: boolean
  readonly jtiTtlSeconds: number
  /** Without a trailing slash. */
  readonly plcUrl: string
  readonly admission: SettingValues['MIMIR_ATPROTO_ADMISSION']
  readonly allowlist: readonly string[]
  /** Accept HS256 tokens: for development. */
  readonly devTokens: boolean
  /** Where unknown methods are forwarded to: for development. */
  readonly upstream: string | undefined
}

/** Cross-checks the settings; errors are added to `problems`. */
export function readAtproto(
  values: SettingValues,
  listen: { readonly host: string; readonly port: number },
  publicUrl: string,
  problems: string[],
): AtprotoConfig {
  // In a did:web the colon before a port is escaped, and ATProto allows no path.
  const host = new URL(publicUrl).host.toLowerCase().replace(':', '%3A')
  const dev = values.MIMIR_ATPROTO_DEV_TOKENS
  const proxy = values.ENABLE_DIRECT_XRPC_PROXY
  if (dev && !isLoopback(listen.host)) {
    problems.push('MIMIR_ATPROTO_DEV_TOKENS: accepted on a loopback listener only')
  }
  if (dev && values.JWT_SECRET === undefined) {
    problems.push('MIMIR_ATPROTO_DEV_TOKENS: needs JWT_SECRET')
  }
  if (proxy && !isLoopback(listen.host)) {
    problems.push('ENABLE_DIRECT_XRPC_PROXY: accepted on a loopback listener only')
  }
  const upstream = new URL(values.UPSTREAM_XRPC_BASE)
  const isItself = isLoopback(upstream.hostname) && Number(upstream.port || 80) === listen.port
  if (proxy && (isItself || upstream.host === new URL(publicUrl).host)) {
    problems.push('UPSTREAM_XRPC_BASE: is this server itself')
  }
  return {
    serviceDid: values.SERVICE_DID ?? `did:web:${host}`,
    localDidPrefix: `did:web:${host}:u:`,
    enforceLxm: values.ENFORCE_LXM,
    enforceJti: values.ENFORCE_JTI,
    jtiTtlSeconds: values.JTI_TTL_SECONDS,
    plcUrl: values.MIMIR_PLC_URL.replace(/\/+$/, ''),
    admission: values.MIMIR_ATPROTO_ADMISSION,
    allowlist: splitList(values.MIMIR_ATPROTO_ALLOWLIST),
    devTokens: dev,
    upstream: proxy ? values.UPSTREAM_XRPC_BASE.replace(/\/+$/, '') : undefined,
  }
}
