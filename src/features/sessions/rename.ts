import type { Ctx } from '../../context.ts'
import { appendEvents } from '../../events/append.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { sessionRenamed } from './events.ts'
import { namesOf } from './list.ts'
import type { RenameSession } from './schema.ts'
import { findSession, setName } from './store.ts'

/** Renames one of the caller's devices; null restores the name derived from its user agent. */
export async function renameSession(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus'>,
  actor: Actor,
  input: RenameSession,
): Promise<void> {
  const { tenantId, userId } = requireUser(actor)
  const session = await findSession(ctx.db.read, input.id)
  if (session?.user_id !== userId) throw new AppError(commonErrors.notFound)
  // Outside the transaction, which must wait for the database only: naming loads a library.
  const [name = ''] = await namesOf([{ ...session, name: input.name }])
  await ctx.db.transaction(async (tx) => {
    if (!(await setName(tx, userId, input.id, input.name))) {
      throw new AppError(commonErrors.notFound)
    }
    await appendEvents(ctx, tx, [sessionRenamed(tenantId, userId, input.id, name)])
    await recordAudit(ctx, tx, actor, {
      type: 'session.renamed',
      target: { type: 'session', id: input.id },
    })
  })
}
