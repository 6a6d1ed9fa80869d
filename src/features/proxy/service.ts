import { isIP } from 'node:net'
import type { Config } from '../../config/config.ts'
import type { Ctx } from '../../context.ts'
import { AppError } from '../../platform/errors.ts'
import { writeCaddy } from './caddy.ts'
import { proxyErrors } from './errors.ts'
import { writeNginx } from './nginx.ts'
import { siteOf } from './site.ts'
import { writeTraefik } from './traefik.ts'

const WRITERS = { nginx: writeNginx, caddy: writeCaddy, traefik: writeTraefik }

export type Proxy = keyof typeof WRITERS
export const PROXIES = Object.keys(WRITERS) as [Proxy, ...Proxy[]]

export interface ProxyConfig {
  readonly proxy: Proxy
  readonly config: string
  /** What this server's own settings lack for it. */
  readonly notes: readonly string[]
}

/** The configuration of a reverse proxy on this machine, for exactly this server. */
export async function makeProxyConfig(
  { config }: Pick<Ctx, 'config'>,
  _actor: unknown,
  { proxy }: { proxy: Proxy },
): Promise<ProxyConfig> {
  const site = siteOf(config)
  if (site.host === 'localhost') throw new AppError(proxyErrors.noPublicUrl)
  if (config.listen.port === 0) throw new AppError(proxyErrors.noFixedPort)
  return { proxy, config: WRITERS[proxy](site), notes: notesOn(config) }
}

function notesOn({ trustedProxies, listen }: Config): string[] {
  // A proxy that connects to one of this machine's other addresses also connects from it.
  const local = isIP(listen.host) === 0 || /^(0\.0\.0\.0|::)$/.test(listen.host)
  const from = local ? '127.0.0.1' : listen.host
  if (trustedProxies.check(from, isIP(from) === 6 ? 'ipv6' : 'ipv4')) return []
  return [
    `Set MIMIR_TRUSTED_PROXIES=${from}: until then everyone shares one address in rate limits.`,
  ]
}
