import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { DAY, HOUR, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { attachmentErrors } from './errors.ts'
import type { AttachmentId } from './schema.ts'
import { CHUNK_BYTES } from './sealing.ts'
import {
  deleteSome,
  deleteWhole,
  findStored,
  listIds,
  markRemoved,
  type Removed,
  type Which,
} from './store.ts'
import { release } from './usage.ts'

/** Chunks per transaction: few enough that other writers hardly wait. */
const CHUNKS_TOGETHER = 16
const FILES_TOGETHER = 50

/** An upload without progress for this long is dead: its process or its client is gone. */
const UPLOAD_SILENCE = HOUR
/** How long an upload may wait to be sent. */
const UNSENT_LIFE = DAY

/**
 * Makes attachments unreadable at once and frees their quota. The bytes of small ones are deleted in the
 * same transaction, those of large ones piece by piece afterwards: by `sweep`, or by the job.
 */
export async function removeAttachments(tx: Tx, which: Which): Promise<Removed[]> {
  if (which.ids.length === 0) return []
  const removed = await markRemoved(tx, which)
  await release(tx, removed)
  const small = removed.filter(({ size }) => size <= CHUNKS_TOGETHER * CHUNK_BYTES)
  if (small.length > 0) {
    await deleteWhole(
      tx,
      small.map(({ id }) => id),
    )
  }
  return removed
}

/** Deletes the bytes of a removed attachment in many small transactions. */
export async function sweep(ctx: Pick<Ctx, 'db'>, id: string, signal?: AbortSignal): Promise<void> {
  while (!signal?.aborted) {
    if (await ctx.db.transaction((tx) => deleteSome(tx, id, CHUNKS_TOGETHER))) return
  }
}

/** Deletes an upload of the caller's, as long as it was not sent. */
export async function deleteAttachment(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  input: AttachmentId,
): Promise<void> {
  const me = requireUser(actor)
  const { id } = input
  await ctx.db.transaction(async (tx) => {
    const mine = { ids: [id], state: 'unsent', ownerId: me.userId } as const
    const [removed] = await removeAttachments(tx, mine)
    if (!removed) {
      const stored = await findStored(tx, me.tenantId, id)
      if (stored?.owner_id !== me.userId) throw new AppError(commonErrors.notFound)
      throw new AppError(attachmentErrors.alreadySent)
    }
    await recordAudit(ctx, tx, actor, {
      type: 'attachment.deleted',
      target: { type: 'attachment', id },
      details: { size: removed.size },
    })
  })
  await sweep(ctx, id)
}

/** Removes uploads that were never finished or never sent, then deletes the bytes of all removed ones. */
export async function collectAttachments(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  await removeSilent(ctx, 'uploading', UPLOAD_SILENCE, signal)
  await removeSilent(ctx, 'unsent', UNSENT_LIFE, signal)
  // In the future, so that every removed attachment is included.
  const end = toIso(ctx.clock.now() + DAY)
  while (!signal.aborted) {
    const ids = await listIds(ctx.db.read, 'removed', end, FILES_TOGETHER)
    for (const id of ids) await sweep(ctx, id, signal)
    if (ids.length < FILES_TOGETHER) return
  }
}

async function removeSilent(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  state: 'uploading' | 'unsent',
  silence: number,
  signal: AbortSignal,
): Promise<void> {
  const touchedBefore = toIso(ctx.clock.now() - silence)
  while (!signal.aborted) {
    const ids = await listIds(ctx.db.read, state, touchedBefore, FILES_TOGETHER)
    await ctx.db.transaction((tx) => removeAttachments(tx, { ids, state, touchedBefore }))
    if (ids.length < FILES_TOGETHER) return
  }
}
