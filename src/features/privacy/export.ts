import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { PrivacyExportRow } from '../../db/tables.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { freeNow } from '../../platform/memory.ts'
import type { Actor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { privacyErrors } from './errors.ts'
import { requireProof, requireSession } from './proof.ts'
import type { ExportId, ExportStatus, RequestExport } from './schema.ts'
import { chunkCount, openArchiveKey, openChunk } from './sealing.ts'
import { findChunk, findExport, startExport } from './store-exports.ts'

/** How long an archive can be downloaded. */
export const EXPORT_LIFE = 7 * DAY

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids'>

/** Requests the caller's own data; an export already in progress is returned instead. */
export async function requestExport(
  ctx: Needs & Pick<Ctx, 'passwords' | 'access'>,
  actor: Actor,
  input: RequestExport,
): Promise<ExportStatus> {
  const me = await requireProof(ctx, actor, input.currentPassword)
  const row = await ctx.db.transaction((tx) => beginExport(ctx, tx, actor, me.userId))
  return toStatus(row)
}

/** The same for any user, in the caller's transaction. */
export async function beginExport(
  ctx: Needs,
  tx: Tx,
  actor: Actor,
  userId: string,
): Promise<PrivacyExportRow> {
  const now = ctx.clock.now()
  const row = await startExport(tx, {
    id: ctx.ids.next(),
    tenant_id: actor.tenantId,
    user_id: userId,
    state: 'waiting',
    created_at: toIso(now),
    touched_at: toIso(now),
    expires_at: toIso(now + EXPORT_LIFE),
    done: 0,
    total: 0,
    size: 0,
    key_id: '',
    sealed_key: Buffer.alloc(0),
  })
  await recordAudit(ctx, tx, actor, {
    type: 'export.requested',
    target: { type: 'user', id: userId },
    details: { exportId: row.id },
  })
  return row
}

export async function getExport(
  ctx: Pick<Ctx, 'db'>,
  actor: Actor,
  input: ExportId,
): Promise<ExportStatus> {
  return toStatus(await requireOwn(ctx, actor, input.id))
}

/** The archive, only for its user and in a session; a link to it opens nothing by itself. */
export async function fetchExport(
  ctx: Needs & Pick<Ctx, 'keyring'>,
  actor: Actor,
  input: ExportId,
): Promise<{ size: number; content: AsyncGenerator<Uint8Array, void, undefined> }> {
  const row = requireReady(ctx, await requireOwn(ctx, actor, input.id))
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'export.fetched',
      target: { type: 'export', id: row.id },
      details: { size: row.size },
    }),
  )
  return { size: row.size, content: readArchive(ctx, row) }
}

export function requireReady(ctx: Pick<Ctx, 'clock'>, row: PrivacyExportRow): PrivacyExportRow {
  if (row.state === 'failed') throw new AppError(privacyErrors.exportFailed)
  if (row.state !== 'ready') throw new AppError(privacyErrors.exportNotReady)
  if (row.expires_at <= toIso(ctx.clock.now())) throw new AppError(privacyErrors.exportExpired)
  return row
}

/** The bytes of an archive, one chunk at a time, read on demand. */
export async function* readArchive(
  ctx: Pick<Ctx, 'db' | 'keyring'>,
  row: PrivacyExportRow,
): AsyncGenerator<Uint8Array, void, undefined> {
  const key = openArchiveKey(ctx, row)
  const count = chunkCount(row.size)
  for (let position = 0; position < count; position++) {
    const sealed = await findChunk(ctx.db, row.id, position)
    if (!sealed) throw new AppError(privacyErrors.exportExpired)
    yield openChunk(key, sealed, { id: row.id, position, isLast: position === count - 1 })
    freeNow(sealed)
  }
}

async function requireOwn(
  ctx: Pick<Ctx, 'db'>,
  actor: Actor,
  id: string,
): Promise<PrivacyExportRow> {
  const me = requireSession(actor)
  const row = await findExport(ctx.db.read, me.tenantId, id)
  if (row?.user_id !== me.userId) throw new AppError(commonErrors.notFound)
  return row
}

function toStatus(row: PrivacyExportRow): ExportStatus {
  return {
    id: row.id,
    state: row.state,
    done: row.done,
    total: row.total,
    size: row.state === 'ready' ? row.size : 0,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
