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
] as const

export type AuditType = (typeof AUDIT_TYPES)[number]

/** What was done, to what. Ids, codes, counts, an administrator's reason: never content or a secret. */
export interface AuditEntry {
  readonly type: AuditType
  readonly outcome?: 'allow' | 'deny' | 'error'
  readonly target?: { readonly type: string; readonly id: string }
  readonly details?: Readonly<Record<string, string | number | boolean | null>>
}

export const ListAudit = z.object({
  type: z.enum(AUDIT_TYPES).optional(),
  /** Older than this event. */
  beforeId: uuid.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export type ListAudit = z.output<typeof ListAudit>

export const AuditRecord = z.strictObject({
  id: uuid,
  time: z.iso.datetime(),
  type: z.string(),
  outcome: z.enum(['allow', 'deny', 'error']),
  actor: z.strictObject({ kind: z.string(), id: z.string().nullable() }),
  target: z.strictObject({ type: z.string().nullable(), id: z.string().nullable() }),
  operation: z.string(),
  ip: z.string().nullable(),
  requestId: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
})
export type AuditRecord = z.output<typeof AuditRecord>
