/** What the use cases of the default tenant can ask of the process that serves the others. */
export interface TenantHost {
  /** Brings the served tenants in line with the table of tenants; resolves once they are. */
  settle(): Promise<void>
  /** The state, in this process, of a tenant that is not disabled. */
  statusOf(tenantId: string): ServedStatus
}

export type ServedStatus =
  | { readonly state: 'serving' | 'stopped' }
  | { readonly state: 'failed'; readonly reason: string }

/** For a process that serves no tenants, such as a command without a server. */
export const NOBODY_SERVED: TenantHost = {
  async settle() {},
  statusOf: () => ({ state: 'stopped' }),
}
