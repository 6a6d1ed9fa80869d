import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { openReason } from './service.ts'
import { deleteResolvedOf, listReportsBy } from './store.ts'

export const reportData: PersonalData<Ctx> = {
  tables: ['message_reports'],
  async *collect(ctx, { userId }) {
    const rows = await listReportsBy(ctx.db.read, userId)
    yield* partOf(
      'reports.json',
      rows.map(({ key_id, sealed_reason, ...report }) => ({
        ...report,
        reason: openReason(ctx, { id: report.id, key_id, sealed_reason }),
      })),
    )
  },
  /** An open report protects somebody else, so it stays until it is resolved. */
  erase: (_ctx, tx, { userId }) => deleteResolvedOf(tx, userId),
}
