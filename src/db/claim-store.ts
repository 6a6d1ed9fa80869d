import type { Database, Tx } from './database.ts'

/** The store holds the data of another tenant than the one that opens it. */
export class ForeignStoreError extends Error {}

/**
 * Puts the tenant's mark on a store that has none. Throws `ForeignStoreError` when the mark, or in a store
 * without one a row, is another tenant's: a file put into a wrong directory must not be served from there.
 */
export async function claimStore(
  { read, transaction, engine }: Database,
  tenantId: string,
): Promise<void> {
  const owner = await read.selectFrom('store_owner').select('tenant_id').executeTakeFirst()
  if (owner?.tenant_id === tenantId) return
  await transaction(async (tx) => {
    // Two nodes may do this at the same moment: the second finds the mark.
    await engine.lockMigrations(tx)
    const owner = await findOwner(tx)
    if (owner !== undefined && owner !== tenantId) {
      throw new ForeignStoreError(
        `the store at ${engine.location} belongs to the tenant ${owner} and not to ${tenantId}: put it where it belongs`,
      )
    }
    await tx
      .insertInto('store_owner')
      .values({ tenant_id: tenantId })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  })
}

/** Whose mark it has, or whose people and events are in it. */
async function findOwner(tx: Tx): Promise<string | undefined> {
  for (const table of ['store_owner', 'users', 'audit_events'] as const) {
    const row = await tx.selectFrom(table).select('tenant_id').limit(1).executeTakeFirst()
    if (row) return row.tenant_id
  }
  return undefined
}
