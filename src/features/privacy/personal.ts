import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { listConsents } from './store-consents.ts'
import { deleteExportsOf } from './store-exports.ts'

export const privacyData: PersonalData<Ctx> = {
  tables: ['privacy_exports', 'privacy_export_chunks', 'privacy_erasures', 'consents'],
  async *collect(ctx, { userId }) {
    yield* partOf('consents.json', await listConsents(ctx.db.read, userId))
  },
  /** Consents stay as proof that they were given: they hold a user id that no longer leads anywhere. */
  erase: (_ctx, tx, { userId }) => deleteExportsOf(tx, userId),
}
