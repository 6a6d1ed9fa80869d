import type { Tx } from '../../../db/database.ts'
import type { MlsTicketRow } from '../../../db/tables.ts'

export async function insertTicket(tx: Tx, row: MlsTicketRow): Promise<void> {
  await tx.insertInto('mls_tickets').values(row).execute()
}

/** Deletes and returns the ticket, so that of two concurrent calls only one gets it. */
export async function takeTicket(tx: Tx, hash: string): Promise<MlsTicketRow | undefined> {
  return tx.deleteFrom('mls_tickets').where('hash', '=', hash).returningAll().executeTakeFirst()
}

export async function deleteTicketsBefore(tx: Tx, now: string): Promise<void> {
  await tx.deleteFrom('mls_tickets').where('expires_at', '<', now).execute()
}
