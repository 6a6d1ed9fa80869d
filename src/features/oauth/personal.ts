import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { deleteGrantsOf, listAllGrants } from './store-personal.ts'

export const grantData: PersonalData<Ctx> = {
  tables: ['oauth_grants'],
  async *collect(ctx, { userId }) {
    yield* partOf('ai-clients.json', await listAllGrants(ctx.db.read, userId))
  },
  erase: (_ctx, tx, { userId }) => deleteGrantsOf(tx, userId),
}
