import type { Db, Tx } from '../../../db/database.ts'
import { preparedForMany } from '../../../db/prepared.ts'
import type { MlsWelcomeRow } from '../../../db/tables.ts'
import { whenGiven } from '../../../db/when-given.ts'

const upsertWelcomes = preparedForMany<MlsWelcomeRow, never>((db, rows) =>
  db
    .insertInto('mls_welcomes')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['convo_id', 'key_package_ref']).doUpdateSet((eb) => ({
        welcome_id: eb.ref('excluded.welcome_id'),
        epoch: eb.ref('excluded.epoch'),
        joined_seq: eb.ref('excluded.joined_seq'),
        created_at: eb.ref('excluded.created_at'),
        failed_at: null,
      })),
    ),
)

/** Stores a Welcome for each device, replacing one for the same key package. */
export async function insertWelcomes(
  tx: Tx,
  body: { readonly id: string; readonly tenant_id: string; readonly body: Buffer },
  rows: readonly MlsWelcomeRow[],
): Promise<void> {
  await tx.insertInto('mls_welcome_bodies').values(body).execute()
  await upsertWelcomes(tx, rows)
}

export interface Which {
  readonly deviceId?: string | undefined
  readonly ref?: string | undefined
}

/**
 * The Welcomes waiting for a person, optionally for one device or key package: newest first, but those that
 * could not be opened last.
 */
export async function listWelcomes(
  db: Db,
  convoId: string,
  userId: string,
  { deviceId, ref }: Which,
): Promise<MlsWelcomeRow[]> {
  return db
    .selectFrom('mls_welcomes')
    .selectAll()
    .where('convo_id', '=', convoId)
    .where('user_id', '=', userId)
    .$call(whenGiven(deviceId, (query, deviceId) => query.where('device_id', '=', deviceId)))
    .$call(whenGiven(ref, (query, ref) => query.where('key_package_ref', '=', ref)))
    .orderBy((eb) => eb('failed_at', 'is not', null))
    .orderBy('epoch', 'desc')
    .orderBy('key_package_ref')
    .execute()
}

export async function findWelcomeBody(db: Db, id: string): Promise<Buffer | undefined> {
  const row = await db
    .selectFrom('mls_welcome_bodies')
    .select('body')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.body
}

export async function updateWelcome(
  tx: Tx,
  { convo_id, key_package_ref }: Pick<MlsWelcomeRow, 'convo_id' | 'key_package_ref'>,
  change: Pick<MlsWelcomeRow, 'failed_at'>,
): Promise<void> {
  await tx
    .updateTable('mls_welcomes')
    .set(change)
    .where('convo_id', '=', convo_id)
    .where('key_package_ref', '=', key_package_ref)
    .execute()
}

export async function deleteWelcome(
  tx: Tx,
  { convo_id, key_package_ref }: Pick<MlsWelcomeRow, 'convo_id' | 'key_package_ref'>,
): Promise<void> {
  await tx
    .deleteFrom('mls_welcomes')
    .where('convo_id', '=', convo_id)
    .where('key_package_ref', '=', key_package_ref)
    .execute()
}

/** Deletes the Welcomes of a former member. */
export async function deleteWelcomesOf(tx: Tx, convoId: string, userId: string): Promise<void> {
  await tx
    .deleteFrom('mls_welcomes')
    .where('convo_id', '=', convoId)
    .where('user_id', '=', userId)
    .execute()
}

export async function deleteWelcomesOfDevice(tx: Tx, deviceId: string): Promise<void> {
  await tx.deleteFrom('mls_welcomes').where('device_id', '=', deviceId).execute()
}

/** Deletes the bodies that no Welcome refers to any more. */
export async function deleteUnusedBodies(tx: Tx): Promise<void> {
  await tx
    .deleteFrom('mls_welcome_bodies')
    .where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom('mls_welcomes')
            .select('welcome_id')
            .whereRef('mls_welcomes.welcome_id', '=', 'mls_welcome_bodies.id'),
        ),
      ),
    )
    .execute()
}
