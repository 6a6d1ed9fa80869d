import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import type { RenameSession } from './schema.ts'
import { setName } from './store.ts'

/** Calls one of the caller's devices by another name; null gives it back the one it tells itself. */
export async function renameSession(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  input: RenameSession,
): Promise<void> {
  const { userId } = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    if (!(await setName(tx, userId, input.id, input.name))) {
      throw new AppError(commonErrors.notFound)
    }
    await recordAudit(ctx, tx, actor, {
      type: 'session.renamed',
      target: { type: 'session', id: input.id },
    })
  })
}
