/** Tables of the audit log's signatures and sinks, of privacy, retention and emergencies. */
export interface ComplianceTables {
  // audit
  audit_checkpoints: AuditCheckpointRow
  audit_prunings: AuditPruningRow
  audit_notes: AuditNoteRow
  audit_sinks: AuditSinkRow
  // privacy
  privacy_exports: PrivacyExportRow
  privacy_export_chunks: PrivacyExportChunkRow
  privacy_erasures: PrivacyErasureRow
  privacy_receipts: PrivacyReceiptRow
  consents: ConsentRow
  // retention
  legal_holds: LegalHoldRow
  // emergency
  lockdowns: LockdownRow
  incidents: IncidentRow
}

/** A signed (Ed25519) head of the chain: events that existed then cannot vanish unnoticed. */
export interface AuditCheckpointRow {
  /** Counts from 1 without gaps. */
  sequence: number
  chain_position: number
  chain_hash: string
  created_at: string
  /** The previous checkpoint's signature; empty in the first. */
  previous: string
  key_id: string
  /** Base64url, so that a checkpoint can be verified where the key file is missing. */
  public_key: string
  signature: string
}

/** Records that everything up to a checkpoint was deleted at the end of its retention period. */
export interface AuditPruningRow {
  chain_position: number
  checkpoint: number
  /** No event of this time or later was deleted. */
  events_before: string
  created_at: string
  key_id: string
  public_key: string
  signature: string
}

/** An administrator's note on an action. The audit event holds only a hash of salt and note. */
export interface AuditNoteRow {
  event_id: string
  tenant_id: string
  /** Who or what it is about. */
  subject_id: string | null
  salt: string
  note: string
}

/** How much of the chain a sink has received. */
export interface AuditSinkRow {
  name: string
  position: number
  checkpoint: number
  /** The process delivering now, and until when its claim lasts. */
  claimed_by: string | null
  claimed_until: string
  attempts: number
  next_try_at: string
  failing_since: string | null
}

/** An export of a person's data, being assembled or ready for download. */
export interface PrivacyExportRow {
  id: string
  tenant_id: string
  user_id: string
  state: 'waiting' | 'running' | 'ready' | 'failed'
  created_at: string
  /** The last sign of life from the process working on it. */
  touched_at: string
  expires_at: string
  /** Steps done, out of `total`. */
  done: number
  total: number
  size: number
  /** The message key that sealed the archive's own key. */
  key_id: string
  sealed_key: Buffer
}

export interface PrivacyExportChunkRow {
  export_id: string
  position: number
  tenant_id: string
  /** Sealed with the archive's own key. */
  sealed: Buffer
}

export interface PrivacyErasureRow {
  id: string
  tenant_id: string
  user_id: string
  state: 'waiting' | 'undone' | 'done'
  /** 1: the messages that the person sent are deleted too. */
  delete_messages: number
  created_at: string
  due_at: string
  finished_at: string | null
}

/** Evidence that a privacy request was carried out; it names nobody. */
export interface PrivacyReceiptRow {
  id: string
  tenant_id: string
  kind: 'export' | 'erasure' | 'anonymisation'
  /** A keyed hash of the user's id: finds the receipt for a given id, but does not reveal the id. */
  subject: string
  created_at: string
  /** JSON: row counts by kind. */
  counts: string
}

export interface ConsentRow {
  id: string
  tenant_id: string
  user_id: string
  purpose: string
  version: string
  source: string
  given_at: string
  withdrawn_at: string | null
}

/** Data that must not be deleted, whatever retention or erasure says. */
export interface LegalHoldRow {
  id: string
  tenant_id: string
  subject_type: 'user' | 'conversation' | 'audit'
  /** The id of the user or conversation; `*` for the audit log. */
  subject_id: string
  reason: string
  placed_by: string
  placed_at: string
  lifted_at: string | null
}

export interface LockdownRow {
  id: string
  mode: 'closed' | 'read-only'
  started_at: string
  lifted_at: string | null
}

export interface IncidentRow {
  id: string
  tenant_id: string
  title: string
  opened_at: string
  closed_at: string | null
  conclusion: string | null
}
