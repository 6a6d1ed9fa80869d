import type { Ctx } from '../../context.ts'
import type { AttachmentRow } from '../../db/tables.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { freeNow } from '../../platform/memory.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { findPresent } from '../conversations/access.ts'
import { attachmentErrors } from './errors.ts'
import type { Range } from './range.ts'
import type { Attachment, AttachmentId } from './schema.ts'
import { CHUNK_BYTES, logUnreadable, openChunk, openHead } from './sealing.ts'
import { findChunk, findStored, listConversationsOf } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'keyring' | 'log'>

export interface StoredFile {
  readonly attachment: Attachment
  /** The bytes of the range, a chunk at a time, read when they are asked for. */
  read(range: Range): AsyncGenerator<Uint8Array, void, undefined>
}

/** A file for its uploader and for the members of every conversation in which it was sent. */
export async function openAttachment(
  ctx: Needs,
  actor: Actor,
  input: AttachmentId,
): Promise<StoredFile> {
  const me = requireUser(actor)
  const row = await findStored(ctx.db.read, me.tenantId, input.id)
  if (!row || (row.owner_id !== me.userId && !(await wasSentTo(ctx, me, row.id)))) {
    throw new AppError(commonErrors.notFound)
  }
  return open(ctx, row)
}

/** A file, whoever asks: for those who have decided that themselves. */
export async function readStored(ctx: Needs, tenantId: string, id: string): Promise<StoredFile> {
  const row = await findStored(ctx.db.read, tenantId, id)
  if (!row) throw new AppError(commonErrors.notFound)
  return open(ctx, row)
}

function open(ctx: Needs, row: AttachmentRow): StoredFile {
  const head = openHead(ctx, row)
  if (!head) throw new AppError(attachmentErrors.unreadable)
  return { attachment: head.attachment, read: (range) => readChunks(ctx, head, range) }
}

async function wasSentTo(ctx: Needs, me: UserActor, id: string): Promise<boolean> {
  const conversations = await listConversationsOf(ctx.db.read, id)
  const keys = conversations.map((conversationId) => ({ conversationId, userId: me.userId }))
  const isPresent = await findPresent(ctx.db.read, keys)
  return keys.some(isPresent)
}

async function* readChunks(
  ctx: Needs,
  { attachment, key }: { readonly attachment: Attachment; readonly key: Buffer },
  { start, end }: Range,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { id, size } = attachment
  const last = Math.max(0, Math.ceil(size / CHUNK_BYTES) - 1)
  for (let position = Math.floor(start / CHUNK_BYTES); position * CHUNK_BYTES < end; position++) {
    const sealed = await findChunk(ctx.db.read, id, position)
    let bytes: Buffer
    try {
      if (!sealed) throw new Error(`the chunk ${position} is missing`)
      bytes = openChunk(key, sealed, { attachmentId: id, position, isLast: position === last })
    } catch (error) {
      logUnreadable(ctx, id, error)
      throw new AppError(attachmentErrors.unreadable)
    }
    freeNow(sealed)
    const offset = position * CHUNK_BYTES
    yield bytes.subarray(Math.max(0, start - offset), Math.min(bytes.length, end - offset))
  }
}
