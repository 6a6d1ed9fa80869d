import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { deleteIdentitiesOf, listIdentities } from './store.ts'

export const identityData: PersonalData<Ctx> = {
  tables: ['identities'],
  async *collect(ctx, { userId }) {
    yield* partOf('identities.json', await listIdentities(ctx.db.read, userId))
  },
  erase: (_ctx, tx, { userId }) => deleteIdentitiesOf(tx, userId),
}
