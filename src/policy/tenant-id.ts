/** The tenant that is there without being made: the data directory itself. */
export const DEFAULT_TENANT = 'default'

const TENANT_ID = /^[a-z0-9](-?[a-z0-9]){0,30}$/

/** Whether the text may name a tenant: it becomes a directory, and the name of a schema in PostgreSQL. */
export function isTenantId(text: string): boolean {
  return TENANT_ID.test(text)
}
