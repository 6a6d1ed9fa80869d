import type { Ctx } from '../../context.ts'
import type { PrivacyExportRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { newSealingKey, openBytes, type Sealed, seal } from '../../platform/secret-box.ts'
import { privacyErrors } from './errors.ts'

/** Plaintext bytes per chunk of an archive, except for the last. */
export const CHUNK_BYTES = 256 * 1024

export interface Place {
  readonly id: string
  readonly position: number
  readonly isLast: boolean
}

export function chunkCount(size: number): number {
  return Math.max(1, Math.ceil(size / CHUNK_BYTES))
}

const keyContext = (id: string) => `export:${id}`
const chunkContext = ({ id, position, isLast }: Place) =>
  `export-chunk:${id}:${position}:${isLast ? 'last' : 'more'}`

/** A key of the archive's own: deleting its row destroys the archive, wherever copies of its bytes are. */
export function makeArchiveKey(
  ctx: Pick<Ctx, 'keyring'>,
  id: string,
): { key: Buffer; sealed: Sealed } {
  const key = newSealingKey()
  return { key, sealed: seal(ctx.keyring.current('message'), key, keyContext(id)) }
}

export function openArchiveKey(ctx: Pick<Ctx, 'keyring'>, row: PrivacyExportRow): Buffer {
  const key = ctx.keyring.find('message', row.key_id)
  if (!key) throw new AppError(privacyErrors.exportFailed)
  return openBytes(key, row.sealed_key, keyContext(row.id))
}

export function sealChunk(key: Buffer, bytes: Uint8Array, place: Place): Buffer {
  return seal({ id: 'export', key }, bytes, chunkContext(place)).bytes
}

export function openChunk(key: Buffer, sealed: Uint8Array, place: Place): Buffer {
  return openBytes({ id: 'export', key }, sealed, chunkContext(place))
}
