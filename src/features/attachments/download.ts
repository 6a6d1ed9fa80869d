import type { Ctx } from '../../context.ts'
import type { AttachmentRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { collectRecent, freeNow } from '../../platform/memory.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { findAccountById } from '../accounts/access.ts'
import { findAcquaintances } from '../accounts/service.ts'
import { findPresent } from '../conversations/access.ts'
import { attachmentErrors } from './errors.ts'
import type { Range } from './range.ts'
import type { Attachment, AttachmentId } from './schema.ts'
import { CHUNK_BYTES, logUnreadable, openChunk, openHead } from './sealing.ts'
import { findChunk, findStored, listConversationsOf } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'keyring' | 'log' | 'clock'>

/** 8 MiB of sent chunks: the runtime does not tell when it is done with one, so they become garbage. */
const CHUNKS_A_COLLECTION = 32

export interface StoredFile {
  readonly attachment: Attachment
  /** The bytes of the range, one chunk at a time, each read only on demand. */
  read(range: Range): AsyncGenerator<Uint8Array, void, undefined>
}

/**
 * Opens a file for its uploader and for members of every conversation in which it was sent or is the
 * avatar; a user's own avatar for everyone who may see that user.
 */
export async function openAttachment(
  ctx: Needs,
  actor: Actor,
  input: AttachmentId,
): Promise<StoredFile> {
  const me = requireUser(actor)
  const row = await findStored(ctx.db.read, me.tenantId, input.id)
  if (!row || !(await maySee(ctx, me, row))) throw new AppError(commonErrors.notFound)
  return open(ctx, row)
}

/** Opens a file without an access check: callers must have decided that. */
export async function openStored(ctx: Needs, tenantId: string, id: string): Promise<StoredFile> {
  const row = await findStored(ctx.db.read, tenantId, id)
  if (!row) throw new AppError(commonErrors.notFound)
  return open(ctx, row)
}

function open(ctx: Needs, row: AttachmentRow): StoredFile {
  const head = openHead(ctx, row)
  if (!head) throw new AppError(attachmentErrors.unreadable)
  return { attachment: head.attachment, read: (range) => readStored(ctx, head, range) }
}

async function maySee(ctx: Needs, me: UserActor, row: AttachmentRow): Promise<boolean> {
  const { read } = ctx.db
  const isOwn = row.owner_id === me.userId
  if (isOwn && row.state === 'unsent') return true
  const conversations = await listConversationsOf(read, row.id, toIso(ctx.clock.now()))
  if (isOwn && conversations.length > 0) return true
  const keys = conversations.map((conversationId) => ({ conversationId, userId: me.userId }))
  const isPresent = await findPresent(read, keys)
  if (keys.some(isPresent)) return true
  const owner = await findAccountById(read, me.tenantId, row.owner_id)
  if (owner?.avatar_id !== row.id) return false
  if (isOwn) return true
  return (await findAcquaintances(read, me, [owner.id])).has(owner.id)
}

/** The bytes of a range of a file, one chunk at a time. */
export async function* readStored(
  ctx: Needs,
  { attachment, key }: { readonly attachment: Attachment; readonly key: Buffer },
  { start, end }: Range,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { id, size } = attachment
  const last = Math.max(0, Math.ceil(size / CHUNK_BYTES) - 1)
  for (let position = Math.floor(start / CHUNK_BYTES); position * CHUNK_BYTES < end; position++) {
    const sealed = await findChunk(ctx.db, id, position)
    let bytes: Buffer
    try {
      if (!sealed) throw new Error(`the chunk ${position} is missing`)
      bytes = openChunk(key, sealed, { attachmentId: id, position, isLast: position === last })
    } catch (error) {
      logUnreadable(ctx, id, error)
      throw new AppError(attachmentErrors.unreadable)
    }
    freeNow(sealed)
    if (position % CHUNKS_A_COLLECTION === CHUNKS_A_COLLECTION - 1) collectRecent()
    const offset = position * CHUNK_BYTES
    yield bytes.subarray(Math.max(0, start - offset), Math.min(bytes.length, end - offset))
  }
}
