import type { Database, Tx } from './database.ts'

/** The store belongs to a tenant other than the one opening it. */
export class ForeignStoreError extends Error {}

/**
 * Marks a store as the tenant's if it has no mark yet. Throws `ForeignStoreError` if the mark, or the
 * data of an unmarked store, is another tenant's: a file put into the wrong directory must not be served.
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
        `the store at ${engine.location} belongs to the tenant ${owner} and not to ${tenantId}: move it back to its tenant`,
      )
    }
    await tx
      .insertInto('store_owner')
      .values({ tenant_id: tenantId })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  })
}

/** The tenant of the mark, or else of the users or audit events. */
async function findOwner(tx: Tx): Promise<string | undefined> {
  for (const table of ['store_owner', 'users', 'audit_events'] as const) {
    const row = await tx.selectFrom(table).select('tenant_id').limit(1).executeTakeFirst()
    if (row) return row.tenant_id
  }
  return undefined
}
