import type { Ctx } from '../../context.ts'
import type { Person, PersonalPart } from '../../db/personal-data.ts'
import type { PrivacyExportRow } from '../../db/tables.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { cut } from '../../platform/cut.ts'
import { jobActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { archiveOf } from './archive.ts'
import { EXPORT_LIFE } from './export.ts'
import { receiptOf } from './receipts.ts'
import { CHUNK_BYTES, makeArchiveKey, sealChunk } from './sealing.ts'
import { PERSONAL_DATA } from './sources.ts'
import { insertReceipt } from './store.ts'
import {
  claimExport,
  deleteChunks,
  deleteExport,
  insertChunk,
  isAnyWaiting,
  listExpired,
  updateExport,
} from './store-exports.ts'

/** An archive whose process reports no progress for this long is started again. */
const SILENCE = MINUTE
const CHUNKS_TOGETHER = 32

/** Makes the requested archives, one after another. */
export async function makeExports(ctx: Ctx, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const now = ctx.clock.now()
    const silent = toIso(now - SILENCE)
    if (!(await isAnyWaiting(ctx.db.read, silent))) return
    const row = await ctx.db.transaction((tx) => claimExport(tx, toIso(now), silent))
    if (!row) return
    try {
      await makeOne(ctx, row, signal)
    } catch (error) {
      // After a shutdown it is made again by a later run.
      if (signal.aborted) return
      ctx.log.error({ err: error, exportId: row.id }, 'an export failed')
      const change = { state: 'failed', touched_at: toIso(ctx.clock.now()) } as const
      await ctx.db.transaction((tx) => updateExport(tx, row.id, change))
    }
  }
}

async function makeOne(ctx: Ctx, row: PrivacyExportRow, signal: AbortSignal): Promise<void> {
  await removeChunks(ctx, row.id)
  const person = { tenantId: row.tenant_id, userId: row.user_id }
  const { key, sealed: sealedKey } = makeArchiveKey(ctx, row.id)
  let done = 0
  let records = 0
  const total = PERSONAL_DATA.length
  const archive = archiveOf(
    countRecords(
      partsOf(ctx, person, () => done++),
      (count) => {
        records += count
      },
    ),
    ctx.clock.now(),
  )
  let position = 0
  let size = 0
  for await (const { bytes, isLast } of cut(archive, CHUNK_BYTES)) {
    signal.throwIfAborted()
    const sealed = sealChunk(key, bytes, { id: row.id, position, isLast })
    size += bytes.length
    const chunk = { export_id: row.id, position, tenant_id: row.tenant_id, sealed }
    const change = { touched_at: toIso(ctx.clock.now()), done, total }
    await ctx.db.transaction(async (tx) => {
      if (!(await updateExport(tx, row.id, change))) throw new Error('it was taken away')
      await insertChunk(tx, chunk)
    })
    position++
  }
  const now = ctx.clock.now()
  await ctx.db.transaction(async (tx) => {
    await updateExport(tx, row.id, {
      state: 'ready',
      touched_at: toIso(now),
      expires_at: toIso(now + EXPORT_LIFE),
      done: total,
      total,
      size,
      key_id: sealedKey.keyId,
      sealed_key: sealedKey.bytes,
    })
    await insertReceipt(tx, receiptOf(ctx, person, 'export', { bytes: size }))
    await recordAudit(ctx, tx, jobActor(row.tenant_id, 'make-exports', ctx.ids.next()), {
      type: 'export.finished',
      target: { type: 'user', id: row.user_id },
      details: { exportId: row.id, size, records },
    })
  })
}

async function* partsOf(ctx: Ctx, person: Person, told: () => void): AsyncGenerator<PersonalPart> {
  for (const source of PERSONAL_DATA) {
    yield* source.collect(ctx, person)
    told()
  }
}

/** The same parts; `told` receives how many rows were read. A file counts as one record. */
async function* countRecords(
  parts: AsyncIterable<PersonalPart>,
  told: (count: number) => void,
): AsyncGenerator<PersonalPart> {
  for await (const part of parts) {
    if ('rows' in part) yield { ...part, rows: countRows(part.rows, told) }
    else {
      told(1)
      yield part
    }
  }
}

async function* countRows(
  pages: AsyncIterable<readonly object[]>,
  told: (count: number) => void,
): AsyncGenerator<readonly object[]> {
  for await (const page of pages) {
    told(page.length)
    yield page
  }
}

async function removeChunks(ctx: Pick<Ctx, 'db'>, id: string): Promise<void> {
  while (!(await ctx.db.transaction((tx) => deleteChunks(tx, id, CHUNKS_TOGETHER)))) {
    // Many small transactions, so that other writers hardly wait.
  }
}

/** Deletes expired archives. */
export async function expireExports(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  for (const id of await listExpired(ctx.db.read, toIso(ctx.clock.now()))) {
    if (signal.aborted) return
    await removeChunks(ctx, id)
    await ctx.db.transaction((tx) => deleteExport(tx, id))
  }
}
