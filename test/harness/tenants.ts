import { type Appliance, type BootOptions, boot } from './boot.ts'
import { freePorts } from './ports.ts'

/** Names of this machine, each the host of a tenant; the last is the default one's. */
export const HOSTS = { acme: 'localhost', beta: '127.0.0.1' } as const
export const DEFAULT_HOST = '0.0.0.0'

/** A server with two tenants beside the default one. */
export interface TwoTenants extends AsyncDisposable {
  readonly mimir: Appliance
  readonly acme: Appliance
  readonly beta: Appliance
}

/** Boots a server with the tenants acme and beta, which are told apart by their hosts unless `env` says otherwise. */
export async function bootTwoTenants({
  env,
  port: given,
  ...more
}: BootOptions & { readonly port?: number | undefined } = {}): Promise<TwoTenants> {
  // Each tenant's public URL has the port too: a browser's requests come from there.
  const port = given ?? (await freePorts(1))[0]
  const mimir = await boot({
    ...more,
    env: {
      MIMIR_ENABLE_MULTI_TENANCY: 'true',
      MIMIR_TENANT_ID_SOURCE: 'host',
      MIMIR_LISTEN: `127.0.0.1:${port}`,
      MIMIR_PUBLIC_URL: `http://${DEFAULT_HOST}:${port}`,
      ...env,
    },
  })
  mimir.url = `http://${DEFAULT_HOST}:${port}`
  try {
    for (const [id, host] of Object.entries(HOSTS)) {
      await mimir.command('tenant.create', { id, hosts: [host] })
    }
    const [acme, beta] = [mimir.tenant('acme', HOSTS.acme), mimir.tenant('beta', HOSTS.beta)]
    return { mimir, acme, beta, [Symbol.asyncDispose]: () => mimir[Symbol.asyncDispose]() }
  } catch (error) {
    await mimir[Symbol.asyncDispose]()
    throw error
  }
}
