import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { AppError } from '../../platform/errors.ts'
import type { UserActor } from '../../policy/actor.ts'
import { attachmentErrors } from './errors.ts'
import { removeAttachments } from './remove.ts'
import { openHead } from './sealing.ts'
import { findStored, listUsed, lockAttachments, markSent } from './store.ts'

/** Bytes. Small, because avatars are shown in lists to many people. */
const AVATAR_MOST = 2 * 1024 * 1024

/**
 * Claims an upload of the caller's as an avatar, in the transaction that stores it as one. It must be an
 * image within the size limit. From then on it is in use and not collected.
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
  // Another node removed it since it was read.
  if ((await markSent(tx, [id])) === 0) throw new AppError(attachmentErrors.notFound)
}

/** Removes a former avatar, unless a message carries it or it is still somebody's avatar. */
export async function releaseAvatar(tx: Tx, id: string): Promise<void> {
  await lockAttachments(tx, [id])
  const used = await listUsed(tx, [id])
  if (!used.has(id)) await removeAttachments(tx, { ids: [id] })
}
