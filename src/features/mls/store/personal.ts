import type { Db, Tx } from '../../../db/database.ts'

/** The person's devices, without their signature keys. */
export async function listDevicesOf(db: Db, userId: string) {
  return db
    .selectFrom('mls_devices')
    .select(['id', 'name', 'created_at', 'last_seen_at', 'deleted_at'])
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute()
}

/** The encrypted groups that the person is or was in. */
export async function listMembershipsOf(db: Db, userId: string) {
  return db
    .selectFrom('mls_members')
    .select(['convo_id', 'is_admin', 'joined_at', 'left_at'])
    .where('user_id', '=', userId)
    .orderBy('convo_id')
    .execute()
}

export async function listReportsBy(db: Db, userId: string) {
  return db
    .selectFrom('mls_reports')
    .select(['id', 'convo_id', 'category', 'status', 'created_at'])
    .where('reporter_id', '=', userId)
    .orderBy('id')
    .execute()
}

/** Copies the person's DID to their leaves before the account loses it. */
export async function keepIdentity(tx: Tx, userId: string, did: string): Promise<void> {
  await tx
    .updateTable('mls_leaves')
    .set({ identity: did })
    .where('user_id', '=', userId)
    .where('identity', 'is', null)
    .execute()
}

/** Deletes what belongs to the person alone; returns the number of deleted rows. */
export async function deleteAllOf(tx: Tx, userId: string, now: string): Promise<number> {
  const gone = [
    await tx.deleteFrom('mls_key_packages').where('user_id', '=', userId).executeTakeFirst(),
    await tx.deleteFrom('mls_hand_outs').where('taker_id', '=', userId).executeTakeFirst(),
    await tx.deleteFrom('mls_opt_outs').where('user_id', '=', userId).executeTakeFirst(),
    await tx.deleteFrom('mls_welcomes').where('user_id', '=', userId).executeTakeFirst(),
    await tx.deleteFrom('mls_cursors').where('user_id', '=', userId).executeTakeFirst(),
    await tx.deleteFrom('mls_tickets').where('user_id', '=', userId).executeTakeFirst(),
    await tx.deleteFrom('mls_invites').where('target_id', '=', userId).executeTakeFirst(),
    await tx.deleteFrom('mls_reports').where('reporter_id', '=', userId).executeTakeFirst(),
  ]
  await tx
    .updateTable('mls_devices')
    .set({ name: null, device_uuid: null, deleted_at: now })
    .where('user_id', '=', userId)
    .execute()
  // What others reported stays, without an admin's words about the person.
  await tx
    .updateTable('mls_reports')
    .set({ notes: null })
    .where('reported_id', '=', userId)
    .execute()
  return gone.reduce((sum, { numDeletedRows }) => sum + Number(numDeletedRows), 0)
}
