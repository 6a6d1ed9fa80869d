import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { attachmentErrors } from './errors.ts'
import { removeAttachments } from './remove.ts'
import { openHead } from './sealing.ts'
import { findStored, holdAttachments, listUsed, markSent } from './store.ts'

/** Bytes: an avatar is shown small, in lists, to many people. */
const AVATAR_MOST = 2 * 1024 * 1024

/**
 * Takes an upload of the caller's for an avatar, in the transaction that notes it as one: a picture
 * of a bearable size. From then on it is in use and not collected.
 */
export async function takeAvatar(
  ctx: Pick<Ctx, 'keyring' | 'log'>,
  tx: Tx,
  me: UserActor,
  id: string,
): Promise<void> {
  const row = await findStored(tx, me.tenantId, id)
  if (row?.owner_id !== me.userId) throw new AppError(attachmentErrors.notFound)
  const head = openHead(ctx, row)
  if (!head) throw new AppError(attachmentErrors.unreadable)
  if (!head.attachment.contentType.startsWith('image/')) {
    throw new AppError(attachmentErrors.avatarIsNoImage)
  }
  if (row.size > AVATAR_MOST) {
    throw new AppError(attachmentErrors.avatarTooLarge, { max: AVATAR_MOST })
  }
  // It was taken away since it was looked at, by another node.
  if ((await markSent(tx, [id])) === 0) throw new AppError(attachmentErrors.notFound)
}

/** Takes a former avatar away, unless a message carries it too or it is somebody's still. */
export async function releaseAvatar(ctx: Pick<Ctx, 'clock'>, tx: Tx, id: string): Promise<void> {
  await holdAttachments(tx, [id], toIso(ctx.clock.now()))
  const used = await listUsed(tx, [id])
  if (!used.has(id)) await removeAttachments(tx, { ids: [id] })
}
