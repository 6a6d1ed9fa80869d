import type { Db, Tx } from '../../../db/database.ts'
import { preparedForMany } from '../../../db/prepared.ts'
import type { MlsLeafRow, MlsProposalRow } from '../../../db/tables.ts'
import type { Convo } from './convos.ts'

/** A leaf with its device's signature key and deletion time. */
export type Leaf = MlsLeafRow & { signature_key: string; deleted_at: string | null }

/** The occupied leaves of conversations, by leaf index. */
export async function listLeaves(db: Db, convoIds: readonly string[]): Promise<Leaf[]> {
  if (convoIds.length === 0) return []
  return db
    .selectFrom('mls_leaves as leaf')
    .innerJoin('mls_devices as device', 'device.id', 'leaf.device_id')
    .where('leaf.convo_id', 'in', convoIds)
    .selectAll('leaf')
    .select(['device.signature_key', 'device.deleted_at'])
    .orderBy('leaf.leaf_index')
    .execute()
}

/** The conversations whose trees contain a device, with their last sequence numbers. */
export async function listConvosOfDevice(
  db: Db,
  deviceId: string,
): Promise<Pick<Convo, 'id' | 'last_seq'>[]> {
  return db
    .selectFrom('mls_leaves as leaf')
    .innerJoin('mls_convos as convo', 'convo.id', 'leaf.convo_id')
    .where('leaf.device_id', '=', deviceId)
    .select(['convo.id', 'convo.last_seq'])
    .distinct()
    .execute()
}

export const insertLeaves: (tx: Tx, rows: readonly MlsLeafRow[]) => Promise<unknown> =
  preparedForMany<MlsLeafRow, never>((db, rows) => db.insertInto('mls_leaves').values(rows))

export async function deleteLeaves(
  tx: Tx,
  convoId: string,
  indices: readonly number[],
): Promise<void> {
  if (indices.length === 0) return
  await tx
    .deleteFrom('mls_leaves')
    .where('convo_id', '=', convoId)
    .where('leaf_index', 'in', indices)
    .execute()
}

export async function insertProposals(tx: Tx, rows: readonly MlsProposalRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx
    .insertInto('mls_proposals')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['convo_id', 'ref']).doNothing())
    .execute()
}

export async function listProposals(db: Db, convoId: string): Promise<MlsProposalRow[]> {
  return db.selectFrom('mls_proposals').selectAll().where('convo_id', '=', convoId).execute()
}

export async function deleteProposals(tx: Tx, convoId: string): Promise<void> {
  await tx.deleteFrom('mls_proposals').where('convo_id', '=', convoId).execute()
}
