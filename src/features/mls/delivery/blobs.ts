import { createHash } from 'node:crypto'
import type { Ctx } from '../../../context.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser } from '../../../policy/actor.ts'
import {
  discardFile,
  keepFile,
  openFile,
  type StoredFile,
  storeFile,
} from '../../attachments/service-bytes.ts'
import { requireMember } from '../access.ts'
import { mlsErrors } from '../errors.ts'
import { findBlob, holdOwnAttachment, upsertBlob } from '../store/blobs.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'log'>

const NAME = /^sha256-([0-9a-f]{64})$/
/** Multicodec codes for a CID of raw bytes by SHA-256. */
const RAW = 0x55
const SHA256 = 0x12

export interface Upload {
  readonly convoId: string
  /** The expected SHA-256 in hex. */
  readonly sha256?: string
  readonly announced: number | undefined
  readonly content: AsyncIterable<Uint8Array>
}

export interface Uploaded {
  /** The SHA-256 of the bytes in hex. */
  readonly sha256: string
  readonly size: number
}

/**
 * Stores an encrypted file for the members of a conversation while it is being received. The same bytes
 * from the same person are stored, and counted towards their quota, only once. From another person they
 * are a separate file, so that neither quota nor deletion affects anyone else.
 */
export async function uploadBlob(ctx: Needs, actor: Actor, upload: Upload): Promise<Uploaded> {
  const me = requireUser(actor)
  const { convoId, announced } = upload
  await requireMember(ctx.db.read, me, convoId)
  const most = ctx.config.mls.blobMaxBytes
  if ((announced ?? 0) > most) throw new AppError(mlsErrors.blobTooLarge, { max: most })
  const hash = createHash('sha256')
  const content = hashed(upload.content, hash, most)
  const file = await storeFile(ctx, actor, { announced, content }).catch((error: unknown) => {
    throw asRefusal(error)
  })
  const sha256 = hash.digest('hex')
  let isKept = false
  try {
    if (file.size === 0) throw new AppError(mlsErrors.invalidBlob)
    if (upload.sha256 !== undefined && upload.sha256.toLowerCase() !== sha256) {
      throw new AppError(mlsErrors.blobMismatch)
    }
    isKept = await ctx.db.transaction(async (tx) => {
      await requireMember(tx, me, convoId)
      const ownId = await holdOwnAttachment(tx, me.userId, sha256)
      const keptId = await upsertBlob(tx, {
        convo_id: convoId,
        sha256,
        owner_id: me.userId,
        tenant_id: me.tenantId,
        attachment_id: ownId ?? file.id,
        size: file.size,
        created_at: toIso(ctx.clock.now()),
      })
      if (keptId !== file.id) return false
      await keepFile(tx, file.id)
      return true
    })
    return { sha256, size: file.size }
  } finally {
    if (!isKept) await discardFile(ctx, actor, file.id)
  }
}

async function* hashed(
  content: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
  most: number,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const part of content) {
    size += part.byteLength
    if (size > most) throw new AppError(mlsErrors.blobTooLarge, { max: most })
    hash.update(part)
    yield part
  }
}

/** Translates the file store's errors into those of the lexicon. */
function asRefusal(error: unknown): unknown {
  const cause = error instanceof AppError && error.cause instanceof AppError ? error.cause : error
  if (!(cause instanceof AppError)) return error
  switch (cause.code) {
    case 'quota_exceeded':
      return new AppError(mlsErrors.quotaExceeded, { ...cause.details }, { cause })
    case 'payload_too_large':
      return new AppError(mlsErrors.blobTooLarge, { ...cause.details }, { cause })
    case 'upload_cut':
      return new AppError(mlsErrors.invalidBlob, {}, { cause })
    default:
      return cause
  }
}

/** An encrypted file of a conversation; members only. */
export async function getBlob(
  ctx: Needs,
  actor: Actor,
  input: { readonly convoId: string; readonly cid: string },
): Promise<StoredFile> {
  const me = requireUser(actor)
  await requireMember(ctx.db.read, me, input.convoId)
  const sha256 = await hashOfName(input.cid)
  const blob = sha256 && (await findBlob(ctx.db.read, input.convoId, sha256))
  if (!blob) throw new AppError(mlsErrors.blobNotFound)
  return openFile(ctx, me.tenantId, blob.attachment_id)
}

/** A blob's names: `cid` for this API, and `link` for ATProto, a CIDv1 of raw bytes by SHA-256. */
export async function namesOf(
  sha256: string,
): Promise<{ readonly cid: string; readonly link: string }> {
  const { CID } = await import('multiformats/cid')
  const { create } = await import('multiformats/hashes/digest')
  const link = CID.createV1(RAW, create(SHA256, Buffer.from(sha256, 'hex'))).toString()
  return { cid: `sha256-${sha256}`, link }
}

/** The SHA-256 in either name; undefined if the text is neither. */
async function hashOfName(name: string): Promise<string | undefined> {
  const [, sha256] = NAME.exec(name) ?? []
  if (sha256 !== undefined) return sha256
  const { CID } = await import('multiformats/cid')
  try {
    const { code, multihash } = CID.parse(name)
    if (code !== RAW || multihash.code !== SHA256) return undefined
    return Buffer.from(multihash.digest).toString('hex')
  } catch {
    return undefined
  }
}
