import type { Ctx } from '../../context.ts'
import { type PersonalData, partOf } from '../../db/personal-data.ts'
import { deleteSubjectsOf, listSubjects } from './store.ts'

export const subjectData: PersonalData<Ctx> = {
  tables: ['jwt_subjects'],
  async *collect(ctx, { tenantId, userId }) {
    const subjects = await listSubjects(ctx.db.read, tenantId)
    yield* partOf(
      'identity-providers.json',
      subjects.filter((subject) => subject.userId === userId),
    )
  },
  erase: (_ctx, tx, { userId }) => deleteSubjectsOf(tx, userId),
}
