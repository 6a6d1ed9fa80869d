import { isIPv6 } from 'node:net'
import type { Config } from '../../config/config.ts'

/** What a reverse proxy has to know of this server. */
export interface Site {
  /** As people write it, without a slash at its end. */
  readonly publicUrl: string
  readonly secure: boolean
  /** The host's name alone; an IPv6 address in brackets. */
  readonly host: string
  readonly port: number
  /** Empty, or like `/mimir`. */
  readonly prefix: string
  /** Where the server listens, as host:port. */
  readonly upstream: string
}

export function siteOf({
  publicUrl,
  pathPrefix: prefix,
  listen,
}: Pick<Config, 'publicUrl' | 'pathPrefix' | 'listen'>): Site {
  const { protocol, hostname: host, port } = new URL(publicUrl)
  const secure = protocol === 'https:'
  return {
    publicUrl,
    secure,
    host,
    port: Number(port) || (secure ? 443 : 80),
    prefix,
    upstream: `${reachable(listen.host)}:${listen.port}`,
  }
}

/** A server that listens on every address is reached at the loopback one. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return isIPv6(host) ? `[${host}]` : host
}
