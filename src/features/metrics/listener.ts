import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../../config/config.ts'
import { ConfigError } from '../../config/load.ts'
import { reasonOf } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'
import { isSameSecret } from '../../platform/tokens.ts'
import { createExposition, type Exposition, type Source } from './exposition.ts'

export interface MetricsListener {
  readonly port: number
  close(): Promise<void>
}

/**
 * Serves `/metrics` at the configured address, apart from everything else. If the default address is taken,
 * that is logged and there are no metrics.
 */
export async function listenForMetrics(
  config: Config,
  log: Logger,
  sources: () => readonly Source[],
): Promise<MetricsListener | undefined> {
  const { listen, chosen } = config.metrics
  if (!listen) return undefined
  let exposition: Promise<Exposition> | undefined
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'metrics could not be read')
      response.writeHead(500).end()
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0]
    if (path !== '/metrics' || request.method !== 'GET') return void response.writeHead(404).end()
    const { metricsToken } = config.secrets
    const given = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (metricsToken && !(given && isSameSecret(given, metricsToken))) {
      return void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    }
    exposition ??= createExposition(sources)
    const { contentType, text } = await exposition
    response.writeHead(200, { 'content-type': contentType }).end(await text())
  }

  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(listen.port, listen.host, resolve)
    })
  } catch (error) {
    if (chosen) {
      const problem = `MIMIR_METRICS_LISTEN: ${reasonOf(error)}: choose another address, or off`
      throw new ConfigError([problem])
    }
    log.warn({ port: listen.port }, 'no metrics: the port is in use; see MIMIR_METRICS_LISTEN')
    return undefined
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
