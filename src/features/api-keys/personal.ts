import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { toIso } from '../../platform/clock.ts'
import { composeKey } from './compose.ts'
import { deleteKeysOf, listKeyRows } from './store.ts'

export const apiKeyData: PersonalData<Ctx> = {
  tables: ['api_keys'],
  async *collect(ctx, { tenantId, userId }) {
    const now = toIso(ctx.clock.now())
    const rows = await listKeyRows(ctx.db.read, tenantId, userId)
    yield* partOf(
      'api-keys.json',
      rows.map((row) => composeKey(row, now)),
    )
  },
  erase: (_ctx, tx, { userId }) => deleteKeysOf(tx, userId),
}
