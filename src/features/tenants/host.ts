/** What the use cases of the default tenant know of the process that serves the others. */
export interface TenantHost {
  /** Brings what is served in line with the table of tenants; resolves once it is. */
  settle(): Promise<void>
  /** How a tenant that is not disabled is doing in this process. */
  statusOf(tenantId: string): ServedStatus
}

export type ServedStatus =
  | { readonly state: 'serving' | 'stopped' }
  | { readonly state: 'failed'; readonly reason: string }

/** Of a process that serves nobody, like a command without a server. */
export const NOBODY_SERVED: TenantHost = {
  async settle() {},
  statusOf: () => ({ state: 'stopped' }),
}
