import type { Db, Tx } from '../../db/database.ts'
import type { MessageReportRow } from '../../db/tables.ts'
import { whenGiven } from '../../db/when-given.ts'
import type { ListReports } from './schema.ts'

/** Stores a report. It replaces an earlier one on the message by the same person, and is open again. */
export async function putReport(tx: Tx, row: MessageReportRow): Promise<void> {
  await tx
    .insertInto('message_reports')
    .values(row)
    .onConflict((conflict) => conflict.columns(['message_id', 'reporter_id']).doUpdateSet(row))
    .execute()
}

/** Reports with the names of both people, newest first. */
export async function listReports(db: Db, tenantId: string, page: ListReports) {
  const { beforeId } = page
  return db
    .selectFrom('message_reports as report')
    .innerJoin('users as reporter', 'reporter.id', 'report.reporter_id')
    .innerJoin('users as sender', 'sender.id', 'report.sender_id')
    .where('report.tenant_id', '=', tenantId)
    .where('report.resolved_at', page.status === 'open' ? 'is' : 'is not', null)
    .$call(whenGiven(beforeId, (query, beforeId) => query.where('report.id', '<', beforeId)))
    .selectAll('report')
    .select(['reporter.username as reporter_username', 'sender.username as sender_username'])
    .orderBy('report.id', 'desc')
    .limit(page.limit)
    .execute()
}

/** False if there is no such open report. */
export async function markResolved(
  tx: Tx,
  tenantId: string,
  id: string,
  change: Pick<MessageReportRow, 'resolved_at' | 'resolved_by'>,
): Promise<boolean> {
  const result = await tx
    .updateTable('message_reports')
    .set(change)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('resolved_at', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Whether any reason still needs the key to be read. */
export async function isReasonKeyUsed(db: Db, keyId: string): Promise<boolean> {
  const row = await db
    .selectFrom('message_reports')
    .select('id')
    .where('key_id', '=', keyId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Reports by or about these users, or in these conversations, must be kept. */
export interface Exempt {
  readonly userIds: readonly string[]
  readonly conversationIds: readonly string[]
}

function resolvedBefore(db: Db, before: string, { userIds, conversationIds }: Exempt) {
  return db
    .selectFrom('message_reports')
    .where('resolved_at', '<', before)
    .$if(userIds.length > 0, (query) =>
      query.where('reporter_id', 'not in', userIds).where('sender_id', 'not in', userIds),
    )
    .$if(conversationIds.length > 0, (query) =>
      query.where('conversation_id', 'not in', conversationIds),
    )
}

export async function countResolvedBefore(db: Db, before: string, exempt: Exempt): Promise<number> {
  const row = await resolvedBefore(db, before, exempt)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Returns how many were deleted. */
export async function deleteResolvedBefore(
  tx: Tx,
  before: string,
  exempt: Exempt,
  most: number,
): Promise<number> {
  const rows = await resolvedBefore(tx, before, exempt).select('id').limit(most).execute()
  const ids = rows.map((row) => row.id)
  if (ids.length > 0) await tx.deleteFrom('message_reports').where('id', 'in', ids).execute()
  return ids.length
}

export async function listReportsBy(db: Db, reporterId: string): Promise<MessageReportRow[]> {
  return db
    .selectFrom('message_reports')
    .selectAll()
    .where('reporter_id', '=', reporterId)
    .orderBy('id')
    .execute()
}

export async function deleteResolvedOf(tx: Tx, reporterId: string): Promise<number> {
  const result = await tx
    .deleteFrom('message_reports')
    .where('reporter_id', '=', reporterId)
    .where('resolved_at', 'is not', null)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
