import type { Ctx } from '../../context.ts'
import type { Actor } from '../../policy/actor.ts'
import { type AuditLine, inOrder } from './lines.ts'
import type { AuditRecord, AuditType, ListAudit } from './schema.ts'
import { recordAudit } from './service.ts'
import { chainFrom, newestLink } from './store.ts'
import { checkpointsFrom } from './store-checkpoints.ts'
import { listEvents } from './store-read.ts'
import { type ChainReport, verifyAuditChain } from './verify.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids'>

/** The tenant's events, newest first. Reading them is an event too. */
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

export interface ChainPage {
  readonly lines: readonly AuditLine[]
  /** Where the next page begins. */
  readonly next: { readonly position: number; readonly checkpoint: number }
}

interface PageWanted {
  /** Undefined: the newest `limit` events. */
  readonly after?: { readonly position: number; readonly checkpoint: number } | undefined
  readonly limit: number
}

/** A page of the chain with the checkpoints in it, in order. The first page of a reading is recorded. */
export async function getChainPage(
  ctx: Needs,
  actor: Actor,
  input: PageWanted & { readonly begin?: 'audit.read' | 'audit.exported' | undefined },
): Promise<ChainPage> {
  const { read } = ctx.db
  const after = input.after ?? (await beforeNewest(ctx, input.limit))
  const links = await chainFrom(read, after.position, input.limit)
  const position = links.at(-1)?.position ?? after.position
  const marks = input.after
    ? await checkpointsFrom(read, after.checkpoint, input.limit, position)
    : []
  if (input.begin) await recordRead(ctx, actor, input.begin, links.length)
  return {
    lines: inOrder(links, marks),
    next: { position, checkpoint: marks.at(-1)?.sequence ?? after.checkpoint },
  }
}

async function beforeNewest(ctx: Needs, count: number) {
  const head = await newestLink(ctx.db.read)
  return { position: Math.max(0, (head?.position ?? 0) - count), checkpoint: 0 }
}

/** Verifies the chain as the operator or an auditor asks for it. */
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
