import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { UNKNOWN_TYPE } from './content-type.ts'
import { openStored, type StoredFile } from './download.ts'
import { attachmentErrors } from './errors.ts'
import { deleteAttachment, removeAttachments } from './remove.ts'
import { markSent } from './store.ts'
import { uploadAttachment } from './upload.ts'

// For features that store files of their own: sealed and counted like any attachment, while
// access control is up to the feature.

export type { StoredFile } from './download.ts'
export { fileResponse } from './response.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'log'>

/** Stores bytes as they arrive. Files that are not kept with `keepFile` are collected after a day. */
export async function storeFile(
  ctx: Needs,
  actor: Actor,
  file: { readonly announced: number | undefined; readonly content: AsyncIterable<Uint8Array> },
): Promise<{ readonly id: string; readonly size: number }> {
  return uploadAttachment(ctx, actor, { meta: {}, name: 'sealed', declaredType: '', ...file })
}

/** Keeps a stored file, in the transaction that starts to use it. */
export async function keepFile(tx: Tx, id: string): Promise<void> {
  if ((await markSent(tx, [id])) === 0) throw new AppError(attachmentErrors.notFound)
}

/** Deletes a file that was stored but not kept. */
export async function discardFile(ctx: Needs, actor: Actor, id: string): Promise<void> {
  await deleteAttachment(ctx, actor, { id })
}

/** Makes kept files unreadable and frees their quota. */
export async function dropFiles(tx: Tx, ids: readonly string[]): Promise<void> {
  await removeAttachments(tx, { ids })
}

/**
 * Opens a kept file without an access check. Served as plain bytes: the type of
 * sealed content is not to be guessed.
 */
export async function openFile(ctx: Needs, tenantId: string, id: string): Promise<StoredFile> {
  const file = await openStored(ctx, tenantId, id)
  return { ...file, attachment: { ...file.attachment, contentType: UNKNOWN_TYPE } }
}
