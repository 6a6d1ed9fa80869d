import type { Tx } from '../../db/database.ts'
import type { ConfirmationRow } from '../../db/tables.ts'

export async function insertConfirmation(tx: Tx, row: ConfirmationRow): Promise<void> {
  await tx.insertInto('confirmations').values(row).execute()
}

export async function deleteOutdatedConfirmations(
  tx: Tx,
  userId: string,
  now: string,
): Promise<void> {
  await tx
    .deleteFrom('confirmations')
    .where('user_id', '=', userId)
    .where('expires_at', '<=', now)
    .execute()
}

/** Deletes the confirmation; returns false if there is none for exactly this call. */
export async function useConfirmation(
  tx: Tx,
  asked: Omit<ConfirmationRow, 'tenant_id' | 'expires_at'> & { readonly now: string },
): Promise<boolean> {
  const result = await tx
    .deleteFrom('confirmations')
    .where('token_hash', '=', asked.token_hash)
    .where('user_id', '=', asked.user_id)
    .where('action', '=', asked.action)
    .where('input_hash', '=', asked.input_hash)
    .where('expires_at', '>', asked.now)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}
