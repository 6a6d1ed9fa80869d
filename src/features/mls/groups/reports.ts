import type { Ctx } from '../../../context.ts'
import { appendEvents } from '../../../events/append.ts'
import { toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser } from '../../../policy/actor.ts'
import { didsOf } from '../../atproto/service.ts'
import { recordAudit } from '../../audit/service.ts'
import { requireAdmin, requireMember } from '../access.ts'
import { changeConvo, nothing } from '../change.ts'
import { mlsErrors } from '../errors.ts'
import { reportEvent } from '../events.ts'
import type { GetReports, ReportMember } from '../schema.ts'
import { listCurrentMembers } from '../store/members.ts'
import { findReport, insertReport, listReports, resolve } from '../store/reports.ts'
import { requireAdminOf, requireTarget } from './administer.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'config' | 'bus'>

/** Reports a member to the conversation's admins; the client encrypts the content for them. */
export async function reportMember(
  ctx: Needs,
  actor: Actor,
  input: ReportMember,
  bodyHash: string,
): Promise<{ reportId: string; submittedAt: string }> {
  const me = requireUser(actor)
  const { convoId, idempotencyKey: key } = input
  return changeConvo(ctx, me, {
    ...{ method: 'reportMember', key, bodyHash, convoId, read: nothing },
    async write(tx, { convo }) {
      const target = await requireTarget(ctx, tx, me, convoId, input.reportedDid)
      if (target.user_id === me.userId) throw new AppError(mlsErrors.cannotReportSelf)
      const reportId = ctx.ids.next()
      const submittedAt = toIso(ctx.clock.now())
      await insertReport(tx, {
        ...{ id: reportId, tenant_id: me.tenantId, convo_id: convoId, reporter_id: me.userId },
        ...{ reported_id: target.user_id, category: input.category },
        content: Buffer.from(input.encryptedContent),
        message_ids: JSON.stringify(input.messageIds ?? []),
        ...{ created_at: submittedAt, status: 'pending', action: null, notes: null },
        ...{ resolved_by: null, resolved_at: null },
      })
      const place = { tenantId: me.tenantId, convoId, seq: convo.last_seq }
      const members = await listCurrentMembers(tx, convoId)
      const admins = members.filter((one) => one.is_admin === 1)
      const events = admins.map((admin) => reportEvent(place, admin.user_id))
      await appendEvents(ctx, tx, events)
      await recordAudit(ctx, tx, actor, {
        type: 'mls.reported',
        target: { type: 'mls_report', id: reportId },
        details: { convoId, category: input.category },
      })
      return { reportId, submittedAt }
    },
  })
}

/** The reports of a conversation, newest first; admins only. */
export async function getReports(ctx: Needs, actor: Actor, input: GetReports) {
  const me = requireUser(actor)
  const { read } = ctx.db
  requireAdmin(await requireMember(read, me, input.convoId))
  const rows = await listReports(read, input.convoId, input.status, input.limit)
  const people = rows.flatMap((row) => [row.reporter_id, row.reported_id, row.resolved_by ?? ''])
  const dids = await didsOf(ctx, read, me.tenantId, people)
  return {
    reports: rows.map((row) => ({
      reportId: row.id,
      reporterDid: dids.get(row.reporter_id),
      reportedDid: dids.get(row.reported_id),
      category: row.category,
      encryptedContent: new Uint8Array(row.content),
      messageIds: JSON.parse(row.message_ids) as string[],
      createdAt: row.created_at,
      status: row.status,
      ...(row.resolved_by === null ? {} : { resolvedBy: dids.get(row.resolved_by) }),
      ...(row.resolved_at === null ? {} : { resolvedAt: row.resolved_at }),
      ...(row.action === null ? {} : { action: row.action }),
      ...(row.notes === null ? {} : { notes: row.notes }),
    })),
  }
}

/** Records what was done about a report; throws `AlreadyResolved` if it was resolved before. */
export async function resolveReport(
  ctx: Needs,
  actor: Actor,
  input: { readonly reportId: string; readonly action: string; readonly notes?: string },
): Promise<{ ok: boolean }> {
  const me = requireUser(actor)
  await ctx.db.transaction(async (tx) => {
    const report = await findReport(tx, me.tenantId, input.reportId)
    if (!report) throw new AppError(mlsErrors.reportNotFound)
    await requireAdminOf(tx, me, report.convo_id)
    const isOpen = await resolve(tx, report.id, {
      status: input.action === 'removed_member' ? 'resolved' : 'dismissed',
      action: input.action,
      notes: input.notes ?? null,
      resolved_by: me.userId,
      resolved_at: toIso(ctx.clock.now()),
    })
    if (!isOpen) throw new AppError(mlsErrors.alreadyResolved)
    await recordAudit(ctx, tx, actor, {
      type: 'mls.report_resolved',
      target: { type: 'mls_report', id: report.id },
      details: { action: input.action },
    })
  })
  return { ok: true }
}
