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

/** The head of the chain at a moment, signed (Ed25519): what was there then cannot go unseen. */
export interface AuditCheckpointRow {
  /** From 1 on, without a gap. */
  sequence: number
  chain_position: number
  chain_hash: string
  created_at: string
  /** The signature of the checkpoint before; empty in the first. */
  previous: string
  key_id: string
  /** In base64url, so that a checkpoint can be verified where the key is not. */
  public_key: string
  signature: string
}

/** Everything up to a checkpoint that was taken away because its time was over. */
export interface AuditPruningRow {
  chain_position: number
  checkpoint: number
  /** No event of this time or later went. */
  events_before: string
  created_at: string
  key_id: string
  public_key: string
  signature: string
}

/** What an administrator wrote about an act. Its event holds a hash of salt and note, and no word of it. */
export interface AuditNoteRow {
  event_id: string
  tenant_id: string
  /** Whom or what it is about. */
  subject_id: string | null
  salt: string
  note: string
}

/** How far a sink was given the chain. */
export interface AuditSinkRow {
  name: string
  position: number
  checkpoint: number
  /** The process that delivers now, and until when it may. */
  claimed_by: string | null
  claimed_until: string
  attempts: number
  next_try_at: string
  failing_since: string | null
}

/** A person's data, being put together or ready to be fetched. */
export interface PrivacyExportRow {
  id: string
  tenant_id: string
  user_id: string
  state: 'waiting' | 'running' | 'ready' | 'failed'
  created_at: string
  /** The last sign of life of who works on it. */
  touched_at: string
  expires_at: string
  /** Of `total` steps so many are done. */
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
  /** 1: what the person wrote to others goes too. */
  delete_messages: number
  created_at: string
  due_at: string
  finished_at: string | null
}

/** That something was done for a person's rights; it names nobody. */
export interface PrivacyReceiptRow {
  id: string
  tenant_id: string
  kind: 'export' | 'erasure' | 'anonymisation'
  /** A keyed hash of the user's id: who has the id can find the receipt, and nobody the id. */
  subject: string
  created_at: string
  /** JSON: how many rows of what. */
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

/** What must not be deleted, whatever retention or erasure says. */
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
