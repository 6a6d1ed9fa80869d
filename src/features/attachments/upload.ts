import type { Ctx } from '../../context.ts'
import { toIso } from '../../platform/clock.ts'
import { cut } from '../../platform/cut.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { freeNow } from '../../platform/memory.ts'
import { newSealingKey } from '../../platform/secret-box.ts'
import { type Actor, requireUser, type UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { SNIFFED_BYTES, sniffType } from './content-type.ts'
import { attachmentErrors } from './errors.ts'
import { removeAttachments, sweep } from './remove.ts'
import type { Attachment, AttachmentMeta } from './schema.ts'
import { CHUNK_BYTES, sealChunk, sealHead } from './sealing.ts'
import { finishUpload, insertAttachment, insertChunk, touchUpload } from './store.ts'
import { reserve } from './usage.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'log'>

export interface Upload {
  readonly meta: AttachmentMeta
  readonly name: string
  /** The type that the client declared, or an empty string. */
  readonly declaredType: string
  /** The size in bytes, if the client announced it. */
  readonly announced: number | undefined
  /** Throws if the client aborts before the end. */
  readonly content: AsyncIterable<Uint8Array>
}

/**
 * Stores a file chunk by chunk as it arrives, each chunk in its own transaction, so that
 * messages are not held up. Until the last step it can be neither read nor sent; if that is not
 * reached, nothing of it is kept.
 */
export async function uploadAttachment(
  ctx: Needs,
  actor: Actor,
  upload: Upload,
): Promise<Attachment> {
  const me = requireUser(actor)
  const { maxBytes } = ctx.config.attachments
  if ((upload.announced ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const names = { id: ctx.ids.next(), tenant_id: me.tenantId, owner_id: me.userId }
  const reserved = upload.announced ?? 0
  const now = toIso(ctx.clock.now())
  await ctx.db.transaction(async (tx) => {
    await insertAttachment(tx, {
      ...names,
      state: 'uploading',
      size: reserved,
      key_id: '',
      sealed: Buffer.alloc(0),
      created_at: now,
      touched_at: now,
    })
    await reserve(ctx, tx, names, reserved)
  })
  try {
    const key = newSealingKey()
    const { size, contentType } = await storeChunks(ctx, names, upload, key)
    const { id } = names
    const attachment: Attachment = { id, name: upload.name, size, contentType, ...given(upload) }
    await finish(ctx, me, { attachment, key })
    return attachment
  } catch (error) {
    await discard(ctx, names.id)
    throw error
  }
}

type Names = { readonly id: string; readonly tenant_id: string; readonly owner_id: string }

async function storeChunks(ctx: Needs, names: Names, upload: Upload, key: Buffer) {
  const { maxBytes } = ctx.config.attachments
  let reserved = upload.announced ?? 0
  let size = 0
  let position = 0
  let contentType = ''
  for await (const { bytes, isLast } of cut(whole(upload.content), CHUNK_BYTES)) {
    if (position === 0) {
      contentType = sniffType(bytes.subarray(0, SNIFFED_BYTES), upload.declaredType)
    }
    size += bytes.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    if (isLast && size !== (upload.announced ?? size)) {
      throw new AppError(attachmentErrors.uploadCut)
    }
    const sealed = sealChunk(key, bytes, { attachmentId: names.id, position, isLast })
    const row = { attachment_id: names.id, position, tenant_id: names.tenant_id, sealed }
    const more = Math.max(0, size - reserved)
    const change = { size: reserved + more, touched_at: toIso(ctx.clock.now()) }
    await ctx.db.transaction(async (tx) => {
      if (!(await touchUpload(tx, names.id, change))) throw new AppError(attachmentErrors.uploadCut)
      if (more > 0) await reserve(ctx, tx, names, more)
      await insertChunk(tx, row)
    })
    freeNow(sealed)
    reserved += more
    position++
  }
  return { size, contentType }
}

/** Turns an aborted upload into `uploadCut`: it is the client's fault and no server error. */
async function* whole(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const parts = content[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await parts.next().catch((cause: unknown) => {
        throw new AppError(attachmentErrors.uploadCut, {}, { cause })
      })
      if (done) return
      yield value
    }
  } finally {
    await parts.return?.().catch(() => {})
  }
}

function tooLarge(max: number): AppError {
  return new AppError(commonErrors.payloadTooLarge, { max })
}

/** The metadata that the client sent, without unset fields. */
function given({ meta }: Upload): Partial<Attachment> {
  return Object.fromEntries(Object.entries(meta).filter(([, value]) => value !== undefined))
}

async function finish(
  ctx: Needs,
  me: UserActor,
  head: { readonly attachment: Attachment; readonly key: Buffer },
): Promise<void> {
  const { id, size, contentType } = head.attachment
  const names = { id, tenant_id: me.tenantId, owner_id: me.userId }
  const sealed = sealHead(ctx, names, head)
  const touchedAt = toIso(ctx.clock.now())
  await ctx.db.transaction(async (tx) => {
    const change = { size, key_id: sealed.keyId, sealed: sealed.bytes, touched_at: touchedAt }
    if (!(await finishUpload(tx, id, change))) throw new AppError(attachmentErrors.uploadCut)
    await recordAudit(ctx, tx, me, {
      type: 'attachment.uploaded',
      target: { type: 'attachment', id },
      details: { size, contentType },
    })
  })
}

/** What cannot be deleted now is left to the job. */
async function discard(ctx: Needs, id: string): Promise<void> {
  try {
    await ctx.db.transaction((tx) => removeAttachments(tx, { ids: [id] }))
    await sweep(ctx, id)
  } catch (error) {
    ctx.log.warn({ err: error, attachmentId: id }, 'an unfinished upload is left for the clean-up')
  }
}
