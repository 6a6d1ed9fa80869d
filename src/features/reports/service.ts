import type { Ctx } from '../../context.ts'
import type { MessageReportRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { open, seal } from '../../platform/secret-box.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { requireMessage } from '../messages/service.ts'
import { reportErrors } from './errors.ts'
import type { ListReports, Report, ReportId, ReportMessage } from './schema.ts'
import { listReports, markResolved, putReport } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring'>

/** Reports a message to the administrators. A second report by the same person replaces the first. */
export async function reportMessage(ctx: Needs, actor: Actor, input: ReportMessage): Promise<void> {
  const me = requireUser(actor)
  const id = ctx.ids.next()
  const sealed = seal(ctx.keyring.current('message'), input.reason, contextOf({ id }))
  await ctx.db.transaction(async (tx) => {
    const message = await requireMessage(ctx, tx, me, input.id)
    await putReport(tx, {
      id,
      tenant_id: me.tenantId,
      message_id: message.id,
      conversation_id: message.conversation_id,
      sender_id: message.sender_id,
      reporter_id: me.userId,
      key_id: sealed.keyId,
      sealed_reason: sealed.bytes,
      created_at: toIso(ctx.clock.now()),
      resolved_at: null,
      resolved_by: null,
    })
    await recordAudit(ctx, tx, actor, {
      type: 'message.reported',
      target: { type: 'message', id: message.id },
      details: { conversationId: message.conversation_id, reportId: id },
    })
  })
}

/** The context that the seal of a reason is bound to. */
function contextOf({ id }: Pick<MessageReportRow, 'id'>): string {
  return `report:${id}`
}

export async function getReports(
  ctx: Pick<Ctx, 'db' | 'keyring' | 'log'>,
  actor: Actor,
  input: ListReports,
): Promise<Report[]> {
  const rows = await listReports(ctx.db.read, actor.tenantId, input)
  return rows.map((row) => ({
    id: row.id,
    messageId: row.message_id,
    conversationId: row.conversation_id,
    senderId: row.sender_id,
    senderUsername: row.sender_username,
    reporterId: row.reporter_id,
    reporterUsername: row.reporter_username,
    reason: openReason(ctx, row),
    createdAt: row.created_at,
    resolvedAt: row.resolved_at,
    resolvedById: row.resolved_by,
  }))
}

/** Returns the reason, or null if it can no longer be opened. */
export function openReason(
  ctx: Pick<Ctx, 'keyring' | 'log'>,
  row: Pick<MessageReportRow, 'id' | 'key_id' | 'sealed_reason'>,
): string | null {
  const key = ctx.keyring.find('message', row.key_id)
  try {
    return key ? open(key, row.sealed_reason, contextOf(row)) : null
  } catch (error) {
    ctx.log.error({ err: error, reportId: row.id }, 'a report cannot be decrypted')
    return null
  }
}

/** Closes a report. The operator at the command line has no account, so that `resolved_by` is null. */
export async function resolveReport(
  ctx: Pick<Ctx, 'db' | 'clock' | 'ids'>,
  actor: Actor,
  input: ReportId,
): Promise<void> {
  const resolvedBy = actor.kind === 'user' ? actor.userId : null
  await ctx.db.transaction(async (tx) => {
    const change = { resolved_at: toIso(ctx.clock.now()), resolved_by: resolvedBy }
    if (!(await markResolved(tx, actor.tenantId, input.id, change))) {
      throw new AppError(reportErrors.notOpen)
    }
    await recordAudit(ctx, tx, actor, {
      type: 'report.resolved',
      target: { type: 'report', id: input.id },
    })
  })
}
