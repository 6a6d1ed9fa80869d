import type { Db, Tx } from '../../db/database.ts'
import type { InvitationRow } from '../../db/tables.ts'

export async function insertInvitation(tx: Tx, row: InvitationRow): Promise<void> {
  await tx.insertInto('invitations').values(row).execute()
}

export async function listInvitations(db: Db, tenantId: string) {
  return db
    .selectFrom('invitations as invitation')
    .leftJoin('users as redeemer', 'redeemer.id', 'invitation.redeemed_by')
    .where('invitation.tenant_id', '=', tenantId)
    .selectAll('invitation')
    .select('redeemer.username as redeemed_by_username')
    .orderBy('invitation.created_at', 'desc')
    .orderBy('invitation.id', 'desc')
    .execute()
}

export async function findInvitation(
  db: Db,
  tenantId: string,
  id: string,
): Promise<InvitationRow | undefined> {
  return db
    .selectFrom('invitations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()
}

export async function findOpenInvitation(
  db: Db,
  tokenHash: string,
  now: string,
): Promise<InvitationRow | undefined> {
  return db
    .selectFrom('invitations')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('redeemed_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/** False if it was used or expired meanwhile: of two concurrent attempts exactly one gets true. */
export async function markRedeemed(
  tx: Tx,
  id: string,
  userId: string,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('invitations')
    .set({ redeemed_by: userId, redeemed_at: now })
    .where('id', '=', id)
    .where('redeemed_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function expireInvitation(tx: Tx, id: string, now: string): Promise<boolean> {
  const result = await tx
    .updateTable('invitations')
    .set({ expires_at: now })
    .where('id', '=', id)
    .where('redeemed_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Invitations that the user made, and the one that the user redeemed. */
export async function listInvitationsOf(db: Db, userId: string): Promise<InvitationRow[]> {
  return db
    .selectFrom('invitations')
    .selectAll()
    .where((where) =>
      where.or([where('created_by', '=', userId), where('redeemed_by', '=', userId)]),
    )
    .orderBy('id')
    .execute()
}

export async function clearNotes(tx: Tx, userId: string): Promise<number> {
  const result = await tx
    .updateTable('invitations')
    .set({ note: null })
    .where((where) =>
      where.or([where('created_by', '=', userId), where('redeemed_by', '=', userId)]),
    )
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}
