import type { Ctx } from '../../context.ts'
import type { Actor } from '../../policy/actor.ts'
import { chainAuditEvents } from './chain.ts'
import { type Page, type Place, readPage } from './page.ts'
import type { AuditRecord, AuditType, ListAudit } from './schema.ts'
import { recordAudit } from './service.ts'
import { newestLink } from './store.ts'
import { newestCheckpoint } from './store-checkpoints.ts'
import { listEvents } from './store-read.ts'
import { type ChainReport, verifyAuditChain } from './verify.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids'>

/** The tenant's events, newest first. Reading them is recorded too. */
export async function getAuditEvents(
  ctx: Needs,
  actor: Actor,
  input: ListAudit,
): Promise<AuditRecord[]> {
  const rows = await listEvents(ctx.db.read, actor.tenantId, input)
  await recordRead(ctx, actor, 'audit.read', rows.length)
  return rows.map((row) => ({
    id: row.id,
    position: row.position,
    hash: row.hash,
    time: row.created_at,
    type: row.type,
    outcome: row.outcome,
    actor: { kind: row.actor_kind, id: row.actor_id, sessionId: row.session_id },
    target: { type: row.target_type, id: row.target_id },
    operation: row.operation,
    ip: row.ip,
    userAgentHash: row.user_agent_hash,
    requestId: row.request_id,
    note: row.note,
    details: JSON.parse(row.details),
  }))
}

interface PageWanted {
  /** Undefined: the newest `limit` events. */
  readonly after?: Place | undefined
  readonly limit: number
}

/**
 * A page of the chain with its checkpoints, in order. `begin` marks the first page: it is recorded, and
 * what was just done is linked first, so that it does not seem to be missing.
 */
export async function getChainPage(
  ctx: Needs & Pick<Ctx, 'metrics'>,
  actor: Actor,
  input: PageWanted & { readonly begin?: 'audit.read' | 'audit.exported' | undefined },
): Promise<Pick<Page, 'lines' | 'next'>> {
  if (input.begin) await chainAuditEvents(ctx)
  const after = input.after ?? (await beforeNewest(ctx, input.limit))
  const { lines, events, next } = await readPage(ctx.db.read, after, input.limit)
  if (input.begin) await recordRead(ctx, actor, input.begin, events)
  return { lines, next }
}

async function beforeNewest({ db }: Needs, count: number): Promise<Place> {
  const head = await newestLink(db.read)
  const mark = await newestCheckpoint(db.read)
  const position = Math.max(0, (head?.position ?? 0) - count)
  return { position, checkpoint: mark?.sequence ?? 0 }
}

/** Verifies the chain at the request of the operator or an auditor. */
export async function checkAuditChain(
  ctx: Needs & Pick<Ctx, 'keyring'>,
  actor: Actor,
): Promise<ChainReport> {
  const report = await verifyAuditChain(ctx)
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'audit.verified',
      outcome: report.broken ? 'error' : 'allow',
      details: { checked: report.checked, problem: report.broken?.problem ?? null },
    }),
  )
  return report
}

async function recordRead(
  ctx: Needs,
  actor: Actor,
  type: AuditType,
  events: number,
): Promise<void> {
  await ctx.db.transaction((tx) => recordAudit(ctx, tx, actor, { type, details: { events } }))
}
