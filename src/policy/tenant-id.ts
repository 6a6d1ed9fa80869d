/** The tenant that always exists: the data directory itself. */
export const DEFAULT_TENANT = 'default'

const TENANT_ID = /^[a-z0-9](-?[a-z0-9]){0,30}$/

/** Whether the text may name a tenant: it becomes the name of a directory and of a PostgreSQL schema. */
export function isTenantId(text: string): boolean {
  return TENANT_ID.test(text)
}
