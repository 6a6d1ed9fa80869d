import { type Appliance, type BootOptions, boot } from './boot.ts'

/** Two names of this machine, each the host of a tenant. */
export const HOSTS = { acme: 'localhost', beta: '127.0.0.1' } as const

/** A server with two tenants beside the default one. */
export interface TwoTenants extends AsyncDisposable {
  readonly mimir: Appliance
  readonly acme: Appliance
  readonly beta: Appliance
}

/** Boots a server with the tenants acme and beta, which are told apart by their hosts unless `env` says otherwise. */
export async function bootTwoTenants({ env, ...more }: BootOptions = {}): Promise<TwoTenants> {
  const mimir = await boot({
    ...more,
    env: {
      MIMIR_ENABLE_MULTI_TENANCY: 'true',
      MIMIR_TENANT_ID_SOURCE: 'host',
      MIMIR_PUBLIC_URL: 'http://chat.example.org',
      ...env,
    },
  })
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
