import type { Db, Tx } from '../../db/database.ts'
import type { AuditCheckpointRow, AuditPruningRow } from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'

export async function newestCheckpoint(db: Db): Promise<AuditCheckpointRow | undefined> {
  return db
    .selectFrom('audit_checkpoints')
    .selectAll()
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** The newest checkpoint that was made before the time. */
export async function newestCheckpointBefore(
  db: Db,
  before: string,
): Promise<AuditCheckpointRow | undefined> {
  return db
    .selectFrom('audit_checkpoints')
    .selectAll()
    .where('created_at', '<', before)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
}

export async function insertCheckpoint(tx: Tx, row: AuditCheckpointRow): Promise<void> {
  await tx.insertInto('audit_checkpoints').values(row).execute()
}

/** Checkpoints after a sequence number, in order, up to a position in the chain. */
export async function checkpointsFrom(
  db: Db,
  after: number,
  limit: number,
  upTo?: number,
): Promise<AuditCheckpointRow[]> {
  return db
    .selectFrom('audit_checkpoints')
    .selectAll()
    .where('sequence', '>', after)
    .$call(whenGiven(upTo, (query, upTo) => query.where('chain_position', '<=', upTo)))
    .orderBy('sequence')
    .limit(limit)
    .execute()
}

/** Whether the key signed any checkpoint or pruning that is still stored. */
export async function isCheckpointKeyUsed(db: Db, keyId: string): Promise<boolean> {
  for (const table of ['audit_checkpoints', 'audit_prunings'] as const) {
    const row = await db
      .selectFrom(table)
      .select('created_at')
      .where('key_id', '=', keyId)
      .limit(1)
      .executeTakeFirst()
    if (row) return true
  }
  return false
}

/** A pruning with the hash from which the chain continues. */
export type SignedPruning = AuditPruningRow & Pick<AuditCheckpointRow, 'chain_hash'>

export async function newestPruning(db: Db): Promise<SignedPruning | undefined> {
  return db
    .selectFrom('audit_prunings as pruning')
    .innerJoin('audit_checkpoints as mark', 'mark.sequence', 'pruning.checkpoint')
    .selectAll('pruning')
    .select('mark.chain_hash')
    .orderBy('pruning.chain_position', 'desc')
    .limit(1)
    .executeTakeFirst()
}

export async function insertPruning(tx: Tx, row: AuditPruningRow): Promise<void> {
  await tx.insertInto('audit_prunings').values(row).execute()
}
