import type { Ctx } from '../../context.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { requireAccountToChange } from '../accounts/access.ts'
import { anonymize, beginErasure } from './erasure.ts'
import { beginExport, requireReady } from './export.ts'
import { makeExports } from './make-export.ts'
import type { ErasureStatus } from './schema.ts'
import { chunkCount, openArchiveKey, openChunk } from './sealing.ts'
import { findChunk, findExport } from './store-exports.ts'

/** A user as an administrator names one. */
interface Named {
  readonly user: string
}

/** Makes a user's archive and waits for it; its bytes are fetched chunk by chunk. */
export async function exportAccount(
  ctx: Ctx,
  actor: Actor,
  input: Named,
): Promise<{ id: string; userId: string; size: number; chunks: number }> {
  const { id } = await ctx.db.transaction(async (tx) => {
    const user = await requireAccountToChange(tx, actor, input.user)
    return beginExport(ctx, tx, actor, user.id)
  })
  await makeExports(ctx, new AbortController().signal)
  const row = await findExport(ctx.db.read, actor.tenantId, id)
  if (!row) throw new AppError(commonErrors.notFound)
  const { size, user_id: userId } = requireReady(ctx, row)
  return { id, userId, size, chunks: chunkCount(size) }
}

/** One chunk of an archive in base64. */
export async function getArchiveChunk(
  ctx: Pick<Ctx, 'db' | 'clock' | 'keyring'>,
  actor: Actor,
  input: { id: string; position: number },
): Promise<{ bytes: string }> {
  const { id, position } = input
  const found = await findExport(ctx.db.read, actor.tenantId, id)
  if (!found) throw new AppError(commonErrors.notFound)
  const row = requireReady(ctx, found)
  const sealed = await findChunk(ctx.db, id, position)
  if (!sealed) throw new AppError(commonErrors.notFound)
  const isLast = position === chunkCount(row.size) - 1
  const bytes = openChunk(openArchiveKey(ctx, row), sealed, { id, position, isLast })
  return { bytes: bytes.toString('base64') }
}

/** Erases a user's account immediately, or in seven days, until when they may undo it. */
export async function eraseAccount(
  ctx: Ctx,
  actor: Actor,
  input: Named & { readonly now: boolean; readonly deleteMessages: boolean },
): Promise<{ userId: string; dueAt: ErasureStatus['dueAt'] | null }> {
  const { deleteMessages } = input
  const { id } = await requireAccountToChange(ctx.db.read, actor, input.user)
  if (input.now) {
    await anonymize(ctx, actor, { id, deleteMessages })
    return { userId: id, dueAt: null }
  }
  const { dueAt } = await beginErasure(ctx, actor, { userId: id, deleteMessages })
  return { userId: id, dueAt }
}
