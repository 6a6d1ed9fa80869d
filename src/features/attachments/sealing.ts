import type { Ctx } from '../../context.ts'
import type { AttachmentRow } from '../../db/tables.ts'
import { reasonOf } from '../../platform/errors.ts'
import { open, openBytes, type Sealed, type SealingKey, seal } from '../../platform/secret-box.ts'
import { UNKNOWN_TYPE } from './content-type.ts'
import type { Attachment } from './schema.ts'

/** Bytes of plaintext in every chunk of a file but its last. */
export const CHUNK_BYTES = 256 * 1024

export interface FileHead {
  readonly attachment: Attachment
  readonly key: Buffer
}

type RowNames = Pick<AttachmentRow, 'id' | 'tenant_id' | 'owner_id'>
type SealedRow = RowNames & Pick<AttachmentRow, 'size' | 'key_id' | 'sealed'>

/** The context that the seal of a file's row is bound to. */
function contextOf(row: RowNames): string {
  return `attachment:${row.id}:${row.tenant_id}:${row.owner_id}`
}

/** Seals a file's key and metadata with the current message key. */
export function sealHead(ctx: Pick<Ctx, 'keyring'>, row: RowNames, head: FileHead): Sealed {
  const text = JSON.stringify({ ...head.attachment, key: head.key.toString('base64') })
  return seal(ctx.keyring.current('message'), text, contextOf(row))
}

/**
 * Opens them again. Returns undefined (logged and counted) if that fails, so that one
 * unreadable row does not fail the rest.
 */
export function openHead(ctx: Pick<Ctx, 'keyring' | 'log'>, row: SealedRow): FileHead | undefined {
  const messageKey = ctx.keyring.find('message', row.key_id)
  try {
    if (!messageKey) throw new Error('the key is not here')
    const { key, ...attachment } = JSON.parse(open(messageKey, row.sealed, contextOf(row)))
    return { attachment, key: Buffer.from(key, 'base64') }
  } catch (error) {
    ctx.keyring.unreadable.count++
    logUnreadable(ctx, row.id, error)
    return undefined
  }
}

/** Replaces an attachment whose row cannot be opened. */
export function unreadable(row: SealedRow): Attachment {
  const { id, size } = row
  return { id, name: 'unreadable', size, contentType: UNKNOWN_TYPE, unreadable: true }
}

export function logUnreadable(ctx: Pick<Ctx, 'log'>, attachmentId: string, error: unknown): void {
  ctx.log.error({ attachmentId, reason: reasonOf(error) }, 'an attachment cannot be decrypted')
}

/**
 * A chunk's place in its file. The seal is bound to it, so that no chunk can be swapped, dropped or moved.
 */
export interface Place {
  readonly attachmentId: string
  readonly position: number
  readonly isLast: boolean
}

function chunkContext({ attachmentId, position, isLast }: Place): string {
  return `chunk:${attachmentId}:${position}:${isLast ? 'last' : 'more'}`
}

export function sealChunk(key: Buffer, bytes: Uint8Array, place: Place): Buffer {
  return seal(asSealingKey(key), bytes, chunkContext(place)).bytes
}

/** Throws if the bytes are not those that were sealed for this place. */
export function openChunk(key: Buffer, sealed: Uint8Array, place: Place): Buffer {
  return openBytes(asSealingKey(key), sealed, chunkContext(place))
}

function asSealingKey(key: Buffer): SealingKey {
  return { id: 'file', key }
}
