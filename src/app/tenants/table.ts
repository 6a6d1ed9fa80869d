import type { KnownTenant } from '../../features/tenants/access.ts'
import { DEFAULT_TENANT } from '../../policy/tenant-id.ts'
import type { App } from '../create-app.ts'
import type { Endpoints } from '../endpoints.ts'

/** One tenant in this process. */
export type Entry = { readonly tenant: KnownTenant } & Standing

export type Standing =
  | { readonly state: 'serving'; readonly app: App; readonly endpoints: Endpoints }
  | { readonly state: 'failed'; readonly reason: string }
  | { readonly state: 'disabled' }

/** The known tenants and their state, found by id, host or claim. The tenant runner keeps it current. */
export class TenantTable {
  #entries: ReadonlyMap<string, Entry> = new Map()
  #byHost: ReadonlyMap<string, Entry> = new Map()
  #byClaim: ReadonlyMap<string, Entry> = new Map()

  replace(entries: readonly Entry[]): void {
    const byHost = new Map<string, Entry>()
    const byClaim = new Map<string, Entry>()
    for (const entry of entries) {
      for (const host of entry.tenant.hosts) byHost.set(host, entry)
      for (const claim of entry.tenant.claims) byClaim.set(claim, entry)
    }
    // The host of a tenant's public URL leads to it too, unless some tenant lists that host.
    for (const entry of entries) {
      if (entry.state !== 'serving') continue
      const { hostname } = new URL(entry.app.ctx.config.publicUrl)
      if (!byHost.has(hostname)) byHost.set(hostname, entry)
    }
    this.#entries = new Map(entries.map((entry) => [entry.tenant.id, entry]))
    this.#byHost = byHost
    this.#byClaim = byClaim
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id)
  }

  all(): readonly Entry[] {
    return [...this.#entries.values()]
  }

  serving(): readonly (Entry & { readonly state: 'serving' })[] {
    return this.all().filter((entry) => entry.state === 'serving')
  }

  /** Finds a tenant by the name in a header or claim: its id or an alias. */
  named(name: string): Entry | undefined {
    return this.#entries.get(name) ?? this.#byClaim.get(name)
  }

  atHost(host: string): Entry | undefined {
    return this.#byHost.get(host)
  }

  get default(): Entry | undefined {
    return this.#entries.get(DEFAULT_TENANT)
  }
}
