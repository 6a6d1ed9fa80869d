/** Tables of end-to-end encrypted groups and of identities from other networks. */
export interface MlsTables {
  // mls: devices and key packages
  mls_devices: MlsDeviceRow
  mls_key_packages: MlsKeyPackageRow
  mls_hand_outs: MlsHandOutRow
  mls_opt_outs: MlsOptOutRow
  // mls: groups
  mls_convos: MlsConvoRow
  mls_members: MlsMemberRow
  mls_leaves: MlsLeafRow
  mls_proposals: MlsProposalRow
  mls_invites: MlsInviteRow
  mls_reports: MlsReportRow
  // mls: delivery
  mls_messages: MlsMessageRow
  mls_welcomes: MlsWelcomeRow
  mls_welcome_bodies: MlsWelcomeBodyRow
  mls_cursors: MlsCursorRow
  mls_blobs: MlsBlobRow
  mls_answers: MlsAnswerRow
  mls_tickets: MlsTicketRow
  // atproto
  atproto_nonces: AtprotoNonceRow
}

export interface MlsDeviceRow {
  id: string
  tenant_id: string
  user_id: string
  /** Public signature key of its leaves in base64: identifies the device in a group. */
  signature_key: string
  name: string | null
  /** The client's own id for it. */
  device_uuid: string | null
  created_at: string
  last_seen_at: string
  /** Set: it no longer takes part, but its leaves may still await removal. */
  deleted_at: string | null
}

export interface MlsKeyPackageRow {
  /** KeyPackageRef (RFC 9420 §5.2) in lower-case hex. */
  ref: string
  tenant_id: string
  user_id: string
  device_id: string
  /** The suite's name in RFC 9420 §17.1 and its registry. */
  cipher_suite: string
  /** The MLSMessage. */
  key_package: Buffer
  /** 1: handed out repeatedly when no other is left. */
  last_resort: number
  created_at: string
  expires_at: string
  handed_out_at: string | null
  /** When a commit or a group creation used it. */
  consumed_at: string | null
}

/** Who was given which key package: a person may use only packages handed out to them. */
export interface MlsHandOutRow {
  ref: string
  taker_id: string
  tenant_id: string
  at: string
}

export interface MlsOptOutRow {
  user_id: string
  tenant_id: string
  created_at: string
}

export interface MlsConvoRow {
  /** The MLS group id in lower-case hex. */
  id: string
  tenant_id: string
  creator_id: string
  cipher_suite: string
  epoch: number
  /** The newest sequence number; 0 before the first. */
  last_seq: number
  /** Messages up to this sequence number were compacted. */
  floor_seq: number
  /** The epoch begun by the last removal of a leaf: removed members have the keys of earlier epochs. */
  removal_epoch: number
  /** 1: `mls_leaves` holds every leaf of the tree. */
  knows_leaves: number
  name: string | null
  description: string | null
  /** The MLSMessage, of `group_info_epoch`. */
  group_info: Buffer | null
  group_info_epoch: number | null
  allow_member_add: number
  allow_invites: number
  allow_external_commits: number
  max_members: number
  created_at: string
  last_message_at: string | null
}

export interface MlsMemberRow {
  convo_id: string
  user_id: string
  tenant_id: string
  is_admin: number
  joined_at: string
  /** The member cannot read earlier messages. */
  joined_seq: number
  joined_epoch: number
  /** The newest event of the conversation before the member joined: they receive later ones. */
  joined_after: number
  left_at: string | null
  /** The last event that a member who left still receives. */
  left_with: number | null
  promoted_at: string | null
  promoted_by: string | null
}

/** An occupied leaf of the group's tree (RFC 9420 §4.1.1). */
export interface MlsLeafRow {
  convo_id: string
  leaf_index: number
  tenant_id: string
  user_id: string
  device_id: string
  /** The DID in the leaf, once erasure removed it from the account; null: the account's DID. */
  identity: string | null
}

/** A Remove proposal of the current epoch, so that a commit may refer to it. */
export interface MlsProposalRow {
  convo_id: string
  /** ProposalRef (RFC 9420 §5.2) in lower-case hex. */
  ref: string
  tenant_id: string
  epoch: number
  /** The leaf that it removes. */
  leaf_index: number
}

export interface MlsInviteRow {
  id: string
  tenant_id: string
  convo_id: string
  /** SHA-256 of the secret in lower-case hex. */
  psk_hash: string
  target_id: string | null
  created_by: string
  created_at: string
  expires_at: string | null
  /** Null: unlimited. */
  uses_left: number | null
  revoked_at: string | null
}

export interface MlsReportRow {
  id: string
  tenant_id: string
  convo_id: string
  reporter_id: string
  reported_id: string
  category: string
  /** Sealed by the client for the admins. */
  content: Buffer
  /** JSON. */
  message_ids: string
  created_at: string
  status: 'pending' | 'resolved' | 'dismissed'
  action: string | null
  notes: string | null
  resolved_by: string | null
  resolved_at: string | null
}

export interface MlsMessageRow {
  convo_id: string
  seq: number
  /** The sender's msgId, or one made by the server. */
  id: string
  tenant_id: string
  kind: 'app' | 'commit' | 'proposal'
  /** For a commit the epoch it begins, otherwise the epoch it was framed in. */
  epoch: number
  /** Size of the body in bytes. */
  size: number
  /** The MLSMessage. The sender is not stored. */
  body: Buffer
  created_at: string
}

/** A Welcome waiting for a device, until it is confirmed. */
export interface MlsWelcomeRow {
  convo_id: string
  key_package_ref: string
  tenant_id: string
  user_id: string
  device_id: string
  welcome_id: string
  epoch: number
  joined_seq: number
  created_at: string
  /** When the device reported that it could not open it. */
  failed_at: string | null
}

export interface MlsWelcomeBodyRow {
  id: string
  tenant_id: string
  body: Buffer
}

/** How far a device has come; an empty `device_id` stands for all of the person's devices. */
export interface MlsCursorRow {
  convo_id: string
  user_id: string
  device_id: string
  tenant_id: string
  seq: number
  updated_at: string
}

/** A sealed file; its bytes are stored as an attachment of its owner. */
export interface MlsBlobRow {
  convo_id: string
  /** Lower-case hex. */
  sha256: string
  owner_id: string
  tenant_id: string
  attachment_id: string
  size: number
  created_at: string
}

/** The first response to a request that may be retried. */
export interface MlsAnswerRow {
  /** SHA-256 over caller, method and key. */
  id: string
  tenant_id: string
  body_hash: string
  /** JSON; empty while the first request runs. */
  answer: string
  created_at: string
}

export interface MlsTicketRow {
  hash: string
  tenant_id: string
  user_id: string
  session_id: string | null
  convo_id: string | null
  expires_at: string
  /** The credential it was issued for, so that the stream grants no more than that. */
  key_id: string | null
  credential: string | null
  /** JSON; null: all that the roles permit. */
  scopes: string | null
  valid_until: string | null
}

/** A service token that was used and cannot be used again. */
export interface AtprotoNonceRow {
  /** SHA-256 over issuer and jti. */
  id: string
  tenant_id: string
  expires_at: string
}
