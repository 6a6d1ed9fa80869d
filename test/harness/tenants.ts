import { type Appliance, type BootOptions, boot } from './boot.ts'
import { freePorts } from './ports.ts'

/** Host names that all reach this machine, one for each tenant. */
export const HOSTS = { acme: 'localhost', beta: '127.0.0.1' } as const
export const DEFAULT_HOST = '0.0.0.0'

/** A server with two tenants besides the default one. */
export interface TwoTenants extends AsyncDisposable {
  readonly mimir: Appliance
  readonly acme: Appliance
  readonly beta: Appliance
}

/** Boots a server with the tenants acme and beta, selected by host unless `env` says otherwise. */
export async function bootTwoTenants({
  env,
  port: given,
  ...more
}: BootOptions & { readonly port?: number | undefined } = {}): Promise<TwoTenants> {
  // Each tenant's public URL includes the port, since a browser's Origin header does.
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
