import type { Db, Tx } from '../../../db/database.ts'
import { preparedForIds } from '../../../db/prepared.ts'
import type { MlsDeviceRow } from '../../../db/tables.ts'

export async function insertDevice(tx: Tx, row: MlsDeviceRow): Promise<void> {
  await tx.insertInto('mls_devices').values(row).execute()
}

export async function updateDevice(
  tx: Tx,
  id: string,
  change: Partial<Pick<MlsDeviceRow, 'name' | 'device_uuid' | 'deleted_at' | 'last_seen_at'>>,
): Promise<void> {
  await tx.updateTable('mls_devices').set(change).where('id', '=', id).execute()
}

/** A person's device, unless it was deleted. */
export async function findDevice(
  db: Db,
  userId: string,
  id: string,
): Promise<MlsDeviceRow | undefined> {
  return db
    .selectFrom('mls_devices')
    .selectAll()
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
}

export async function findDeviceByKey(
  db: Db,
  userId: string,
  signatureKey: string,
): Promise<MlsDeviceRow | undefined> {
  return db
    .selectFrom('mls_devices')
    .selectAll()
    .where('user_id', '=', userId)
    .where('signature_key', '=', signatureKey)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
}

export async function listDevicesOf(db: Db, userId: string): Promise<MlsDeviceRow[]> {
  return db
    .selectFrom('mls_devices')
    .selectAll()
    .where('user_id', '=', userId)
    .where('deleted_at', 'is', null)
    .orderBy('id')
    .execute()
}

/** Devices by id, including deleted ones. */
export async function listDevicesById(db: Db, ids: readonly string[]): Promise<MlsDeviceRow[]> {
  return findById(db, ids, {})
}

const findById = preparedForIds((db, ids) =>
  db.selectFrom('mls_devices').selectAll().where('id', 'in', ids),
)

/** People's devices, including deleted ones. */
export async function listDevicesOfAll(
  db: Db,
  userIds: readonly string[],
): Promise<MlsDeviceRow[]> {
  return findByOwner(db, userIds, {})
}

const findByOwner = preparedForIds((db, userIds) =>
  db.selectFrom('mls_devices').selectAll().where('user_id', 'in', userIds),
)
