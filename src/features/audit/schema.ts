import { z } from 'zod'
import { uuid } from '../../platform/text.ts'

/** Every kind of audit event there is: security-relevant or data-changing acts. */
export const AUDIT_TYPES = [
  'account.registered',
  'account.email_verified',
  'account.verification_resent',
  'account.approved',
  'account.rejected',
  'account.suspended',
  'account.reinstated',
  'account.role_changed',
  'account.password_changed',
  'account.password_reset',
  'account.friend_key_changed',
  'account.reset_requested',
  'account.email_change_requested',
  'account.email_changed',
  'account.profile_changed',
  'account.subject_linked',
  'account.subject_unlinked',
  'session.started',
  'session.refused',
  'session.refreshed',
  'session.renamed',
  'session.ended',
  'session.revoked',
  'session.token_reused',
  'session.link_made',
  'session.proof_renewed',
  'factor.set_up_begun',
  'factor.added',
  'factor.removed',
  'factor.refused',
  'factor.codes_renewed',
  'factor.reset',
  'identity.linked',
  'identity.unlinked',
  'identity.refused',
  'access.denied',
  'invite.created',
  'invite.revoked',
  'device.registered',
  'device.removed',
  'device.tested',
  'friend.requested',
  'friend.accepted',
  'friend.rejected',
  'friend.removed',
  'friend.blocked',
  'friend.unblocked',
  'conversation.created',
  'conversation.renamed',
  'conversation.member_added',
  'conversation.member_removed',
  'conversation.role_changed',
  'conversation.settings_changed',
  'webhook.created',
  'webhook.deleted',
  'webhook.failed',
  'change.requested',
  'change.approved',
  'change.refused',
  'change.failed',
  'change.expired',
  'audit.read',
  'message.edited',
  'message.deleted',
  'message.reaction_added',
  'message.reaction_removed',
  'message.pinned',
  'message.unpinned',
  'message.reported',
  'report.resolved',
  'attachment.uploaded',
  'attachment.deleted',
  'node.created',
  'node.changed',
  'node.deleted',
  'node.linked',
  'node.unlinked',
  'node.locked',
  'node.unlocked',
  'node.locks_cleaned',
  'node.cleared',
  'api_key.created',
  'api_key.used',
  'api_key.rotated',
  'api_key.revoked',
  'api_key.expired',
  'role.granted',
  'role.revoked',
  'access.reloaded',
  'access.reload_refused',
  'key.rotated',
  'key.retired',
  'audit.read',
  'audit.exported',
  'audit.verified',
  'audit.pruned',
  'data.read',
  'retention.run',
  'hold.placed',
  'hold.lifted',
  'consent.given',
  'consent.withdrawn',
  'export.requested',
  'export.finished',
  'export.fetched',
  'erasure.requested',
  'erasure.undone',
  'erasure.finished',
  'lockdown.started',
  'lockdown.lifted',
  'incident.opened',
  'incident.closed',
  'security.alert',
  'mls.convo_created',
  'mls.members_added',
  'mls.member_removed',
  'mls.member_left',
  'mls.member_returned',
  'mls.member_joined',
  'mls.role_changed',
  'mls.policy_changed',
  'mls.invite_created',
  'mls.invite_revoked',
  'mls.reported',
  'mls.report_resolved',
  'mls.device_registered',
  'mls.device_deleted',
  'mls.opted_in',
  'mls.opted_out',
  'mls.compacted',
] as const

export type AuditType = (typeof AUDIT_TYPES)[number]

/** What was done, to what. Ids, codes and counts: never content, a name or a secret. */
export interface AuditEntry {
  readonly type: AuditType
  readonly outcome?: 'allow' | 'deny' | 'error'
  readonly target?: { readonly type: string; readonly id: string }
  readonly details?: Readonly<Record<string, string | number | boolean | null>>
  /** An administrator's words: kept beside the log, so that they can be taken away. */
  readonly note?: string
}

const LIMIT_MAX = 500

export const ListAudit = z.object({
  /** At this time or later. */
  from: z.iso.datetime().optional(),
  /** Before this time. */
  to: z.iso.datetime().optional(),
  type: z.enum(AUDIT_TYPES).optional(),
  actorId: uuid.optional(),
  /** Older than this event. */
  beforeId: uuid.optional(),
  limit: z.coerce
    .number()
    .refine(Number.isInteger, 'must be a whole number')
    .default(100)
    .transform((limit) => Math.min(Math.max(limit, 1), LIMIT_MAX)),
})
export type ListAudit = z.output<typeof ListAudit>

export const AuditRecord = z.strictObject({
  id: uuid,
  /** Its place in the chain; null for a few seconds, until it has one. */
  position: z.number().int().nullable(),
  hash: z.string().nullable(),
  time: z.iso.datetime(),
  type: z.string(),
  outcome: z.enum(['allow', 'deny', 'error']),
  actor: z.strictObject({
    kind: z.string(),
    id: z.string().nullable(),
    sessionId: z.string().nullable(),
  }),
  target: z.strictObject({ type: z.string().nullable(), id: z.string().nullable() }),
  operation: z.string(),
  ip: z.string().nullable(),
  userAgentHash: z.string().nullable(),
  requestId: z.string(),
  /** Null where nothing was written, or where it was taken away. */
  note: z.string().nullable(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
})
export type AuditRecord = z.output<typeof AuditRecord>
