import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import type { MessageRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { attachmentErrors } from './errors.ts'
import { removeAttachments } from './remove.ts'
import type { Attachment } from './schema.ts'
import { openHead, unreadable } from './sealing.ts'
import { findManyStored, insertLinks, listOfMessages, markSent, unlink } from './store.ts'

export { releaseAvatar, takeAvatar } from './avatars.ts'

type Needs = Pick<Ctx, 'keyring' | 'log'>

/** The attachments of a message that is about to be stored. */
export interface Carried {
  readonly row: Pick<MessageRow, 'id' | 'tenant_id' | 'conversation_id' | 'sender_id'>
  readonly attachmentIds: readonly string[]
}

/**
 * Finds the attachments of many messages to be sent, in one query. The returned function gives those of
 * one message, or the refusal if one does not exist, is incomplete, or is not the sender's own upload.
 */
export async function findSendable(
  ctx: Needs,
  db: Db,
  messages: readonly Carried[],
): Promise<(message: Carried) => readonly Attachment[] | AppError> {
  const ids = [...new Set(messages.flatMap((message) => message.attachmentIds))]
  const rows = ids.length > 0 ? await findManyStored(db, ids) : []
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ({ row: message, attachmentIds }) => {
    const found: Attachment[] = []
    for (const id of attachmentIds) {
      const row = byId.get(id)
      const isOwn = row?.owner_id === message.sender_id && row.tenant_id === message.tenant_id
      if (!row || !isOwn) return new AppError(attachmentErrors.notFound)
      found.push(openHead(ctx, row)?.attachment ?? unreadable(row))
    }
    return found
  }
}

/** Links attachments to their messages, in the transaction that stores these. */
export async function linkAttachments(tx: Tx, messages: readonly Carried[]): Promise<void> {
  const links = messages.flatMap(({ row, attachmentIds }) =>
    attachmentIds.map((id, position) => ({
      message_id: row.id,
      position,
      attachment_id: id,
      tenant_id: row.tenant_id,
      conversation_id: row.conversation_id,
    })),
  )
  if (links.length === 0) return
  const ids = [...new Set(links.map((link) => link.attachment_id))].sort()
  // Another node removed one since it was read.
  if ((await markSent(tx, ids)) < ids.length) throw new AppError(attachmentErrors.notFound)
  await insertLinks(tx, links)
}

/** The attachments of many messages, in their order, from one query. Messages without any are left out. */
export async function attachmentsOf(
  ctx: Needs,
  db: Db,
  messageIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Attachment[]>> {
  const found = new Map<string, Attachment[]>()
  const rows = await listOfMessages(db, messageIds)
  for (const row of rows.sort((a, b) => a.position - b.position)) {
    const attachment = openHead(ctx, row)?.attachment ?? unreadable(row)
    const list = found.get(row.message_id)
    if (list) list.push(attachment)
    else found.set(row.message_id, [attachment])
  }
  return found
}

/**
 * Removes the attachments of deleted messages, except those that are in use elsewhere. They become
 * unreadable with the transaction; the bytes of large ones are collected later.
 */
export async function releaseAttachments(tx: Tx, messageIds: readonly string[]): Promise<void> {
  const ids = await unlink(tx, messageIds)
  await removeAttachments(tx, { ids })
}
