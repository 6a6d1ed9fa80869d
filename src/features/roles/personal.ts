import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { deleteGrantsOf, listGrantedRoles } from './store.ts'

export const roleData: PersonalData<Ctx> = {
  tables: ['role_grants'],
  async *collect(ctx, { userId }) {
    const roles = await listGrantedRoles(ctx.db.read, userId)
    yield* partOf(
      'roles.json',
      roles.map((role) => ({ role })),
    )
  },
  erase: (_ctx, tx, { userId }) => deleteGrantsOf(tx, userId),
}
