import type { Tx } from '../../db/database.ts'
import type { AtprotoNonceRow } from '../../db/tables.ts'

/** Returns false if the nonce exists already. */
export async function insertNonce(tx: Tx, row: AtprotoNonceRow): Promise<boolean> {
  const result = await tx
    .insertInto('atproto_nonces')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

export async function deleteNoncesBefore(tx: Tx, now: string): Promise<void> {
  await tx.deleteFrom('atproto_nonces').where('expires_at', '<', now).execute()
}
