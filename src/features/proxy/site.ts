import { isIPv6 } from 'node:net'
import type { Config } from '../../config/config.ts'

/** What a reverse proxy needs to know about this server. */
export interface Site {
  /** As users enter it, without a trailing slash. */
  readonly publicUrl: string
  readonly secure: boolean
  /** The hostname only; an IPv6 address in brackets. */
  readonly host: string
  readonly port: number
  /** Empty, or like `/mimir`. */
  readonly prefix: string
  /**
   * With a prefix: a regular expression for the URLs at which AI clients discover authorization. They have
   * the prefix at their end (RFC 8414 §3.1, RFC 9728 §3.1).
   */
  readonly wellKnown: string | undefined
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
    wellKnown: prefix === '' ? undefined : wellKnownUnder(prefix),
    upstream: `${reachable(listen.host)}:${listen.port}`,
  }
}

function wellKnownUnder(prefix: string): string {
  // Without backslashes, which each of the three formats would escape differently.
  const literal = prefix.replace(/[.+*?(){}|$]/g, '[$&]')
  return `^/[.]well-known/oauth-[a-z-]+${literal}(/|$)`
}

/** A server that listens on every address is reached through loopback. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return isIPv6(host) ? `[${host}]` : host
}
