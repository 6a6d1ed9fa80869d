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
