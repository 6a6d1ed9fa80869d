import type { Db, Tx } from '../../../db/database.ts'
import type { MlsInviteRow } from '../../../db/tables.ts'

/** Returns false if the conversation has an invitation with this secret already. */
export async function insertInvite(tx: Tx, row: MlsInviteRow): Promise<boolean> {
  const result = await tx
    .insertInto('mls_invites')
    .values(row)
    .onConflict((conflict) => conflict.columns(['convo_id', 'psk_hash']).doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

interface For {
  readonly userId: string
  readonly now: string
}

/** An invitation of the conversation that the person can use now. */
export async function findInvite(
  db: Db,
  convoId: string,
  pskHash: string,
  { userId, now }: For,
): Promise<MlsInviteRow | undefined> {
  return db
    .selectFrom('mls_invites')
    .selectAll()
    .where('convo_id', '=', convoId)
    .where('psk_hash', '=', pskHash)
    .where('revoked_at', 'is', null)
    .where(({ eb, or }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .where(({ eb, or }) => or([eb('uses_left', 'is', null), eb('uses_left', '>', 0)]))
    .where(({ eb, or }) => or([eb('target_id', 'is', null), eb('target_id', '=', userId)]))
    .executeTakeFirst()
}

/** Finds an invitation and counts one use of it; the conversation has to be locked. */
export async function takeInvite(
  tx: Tx,
  convoId: string,
  pskHash: string,
  who: For,
): Promise<MlsInviteRow | undefined> {
  const invite = await findInvite(tx, convoId, pskHash, who)
  if (invite && invite.uses_left !== null) {
    await tx
      .updateTable('mls_invites')
      .set({ uses_left: invite.uses_left - 1 })
      .where('id', '=', invite.id)
      .execute()
  }
  return invite
}

/** Returns false if the invitation does not exist or was revoked before. */
export async function revokeInvite(
  tx: Tx,
  convoId: string,
  id: string,
  now: string,
): Promise<boolean> {
  const result = await tx
    .updateTable('mls_invites')
    .set({ revoked_at: now })
    .where('convo_id', '=', convoId)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Deletes the invitations that were revoked, have expired or are used up. */
export async function deleteUselessInvites(tx: Tx, now: string): Promise<void> {
  await tx
    .deleteFrom('mls_invites')
    .where(({ eb, or }) =>
      or([eb('revoked_at', 'is not', null), eb('expires_at', '<=', now), eb('uses_left', '<=', 0)]),
    )
    .execute()
}
