import type { ColumnDefinitionBuilder, Kysely } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()
const toUser = (column: ColumnDefinitionBuilder) => column.notNull().references('users.id')
const toConvo = (column: ColumnDefinitionBuilder) => column.notNull().references('mls_convos.id')
const toDevice = (column: ColumnDefinitionBuilder) => column.notNull().references('mls_devices.id')

/** End-to-end encrypted groups (RFC 9420): what the delivery service stores. */
export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db
  // Epochs and sequence numbers have 64 bits; PostgreSQL's integer has 32.
  const big = columns.position.type

  await schema
    .createTable('mls_devices')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', toUser)
    .addColumn('signature_key', 'text', required)
    .addColumn('name', 'text')
    .addColumn('device_uuid', 'text')
    .addColumn('created_at', 'text', required)
    .addColumn('last_seen_at', 'text', required)
    .addColumn('deleted_at', 'text')
    .addUniqueConstraint('mls_devices_signature_key', ['user_id', 'signature_key'])
    .execute()

  await schema
    .createTable('mls_key_packages')
    .addColumn('ref', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', toUser)
    .addColumn('device_id', 'text', toDevice)
    .addColumn('cipher_suite', 'text', required)
    .addColumn('key_package', columns.bytes, required)
    .addColumn('last_resort', 'integer', required)
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('handed_out_at', 'text')
    .addColumn('consumed_at', 'text')
    .execute()
  // For the key packages of a device that can be handed out, oldest first.
  await schema
    .createIndex('mls_key_packages_owner')
    .on('mls_key_packages')
    .columns(['user_id', 'device_id', 'handed_out_at', 'created_at'])
    .execute()
  await schema
    .createIndex('mls_key_packages_expiry')
    .on('mls_key_packages')
    .column('expires_at')
    .execute()
  await schema
    .createTable('mls_hand_outs')
    .addColumn('ref', 'text', required)
    .addColumn('taker_id', 'text', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('at', 'text', required)
    .addPrimaryKeyConstraint('mls_hand_outs_key', ['ref', 'taker_id'])
    .execute()
  // For counting the key packages that a caller took recently.
  await schema
    .createIndex('mls_hand_outs_taker')
    .on('mls_hand_outs')
    .columns(['taker_id', 'at'])
    .execute()

  await schema
    .createTable('mls_convos')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('creator_id', 'text', toUser)
    .addColumn('cipher_suite', 'text', required)
    .addColumn('epoch', big, required)
    .addColumn('last_seq', big, required)
    .addColumn('floor_seq', big, required)
    .addColumn('removal_epoch', big, required)
    .addColumn('knows_leaves', 'integer', required)
    .addColumn('name', 'text')
    .addColumn('description', 'text')
    .addColumn('group_info', columns.bytes)
    .addColumn('group_info_epoch', big)
    .addColumn('allow_member_add', 'integer', required)
    .addColumn('allow_invites', 'integer', required)
    .addColumn('allow_external_commits', 'integer', required)
    .addColumn('max_members', 'integer', required)
    .addColumn('created_at', 'text', required)
    .addColumn('last_message_at', 'text')
    .execute()

  await schema
    .createTable('mls_members')
    .addColumn('convo_id', 'text', toConvo)
    .addColumn('user_id', 'text', toUser)
    .addColumn('tenant_id', 'text', required)
    .addColumn('is_admin', 'integer', required)
    .addColumn('joined_at', 'text', required)
    .addColumn('joined_seq', big, required)
    .addColumn('joined_epoch', big, required)
    .addColumn('left_at', 'text')
    .addColumn('promoted_at', 'text')
    .addColumn('promoted_by', 'text')
    .addPrimaryKeyConstraint('mls_members_key', ['convo_id', 'user_id'])
    .execute()
  await schema
    .createIndex('mls_members_user')
    .on('mls_members')
    .columns(['user_id', 'left_at'])
    .execute()

  await schema
    .createTable('mls_leaves')
    .addColumn('convo_id', 'text', toConvo)
    .addColumn('leaf_index', 'integer', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', toUser)
    .addColumn('device_id', 'text', toDevice)
    .addPrimaryKeyConstraint('mls_leaves_key', ['convo_id', 'leaf_index'])
    .execute()
  await schema.createIndex('mls_leaves_device').on('mls_leaves').column('device_id').execute()

  // No foreign key on the busiest table: its writers have just locked the conversation.
  await schema
    .createTable('mls_messages')
    .addColumn('convo_id', 'text', required)
    .addColumn('seq', big, required)
    .addColumn('id', 'text', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('kind', 'text', required)
    .addColumn('epoch', big, required)
    .addColumn('size', 'integer', required)
    .addColumn('body', columns.bytes, required)
    .addColumn('created_at', 'text', required)
    .addPrimaryKeyConstraint('mls_messages_key', ['convo_id', 'seq'])
    .addUniqueConstraint('mls_messages_id', ['convo_id', 'id'])
    .execute()
  await schema
    .createIndex('mls_messages_commit')
    .on('mls_messages')
    .columns(['convo_id', 'kind', 'epoch'])
    .execute()

  await schema
    .createTable('mls_welcomes')
    .addColumn('convo_id', 'text', toConvo)
    .addColumn('key_package_ref', 'text', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', toUser)
    .addColumn('device_id', 'text', toDevice)
    .addColumn('welcome_id', 'text', required)
    .addColumn('epoch', big, required)
    .addColumn('joined_seq', big, required)
    .addColumn('created_at', 'text', required)
    .addColumn('fetched_at', 'text')
    .addColumn('failed_at', 'text')
    .addPrimaryKeyConstraint('mls_welcomes_key', ['convo_id', 'key_package_ref'])
    .execute()
  await schema
    .createIndex('mls_welcomes_user')
    .on('mls_welcomes')
    .columns(['user_id', 'convo_id'])
    .execute()
  await schema.createIndex('mls_welcomes_body').on('mls_welcomes').column('welcome_id').execute()
  // One Welcome serves every device that a commit adds, so its bytes are stored once.
  await schema
    .createTable('mls_welcome_bodies')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('body', columns.bytes, required)
    .execute()

  await schema
    .createTable('mls_proposals')
    .addColumn('convo_id', 'text', toConvo)
    .addColumn('ref', 'text', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('epoch', big, required)
    .addColumn('leaf_index', 'integer', required)
    .addPrimaryKeyConstraint('mls_proposals_key', ['convo_id', 'ref'])
    .execute()

  await schema
    .createTable('mls_cursors')
    .addColumn('convo_id', 'text', toConvo)
    .addColumn('user_id', 'text', toUser)
    .addColumn('device_id', 'text', required)
    .addColumn('tenant_id', 'text', required)
    .addColumn('seq', big, required)
    .addColumn('updated_at', 'text', required)
    .addPrimaryKeyConstraint('mls_cursors_key', ['convo_id', 'user_id', 'device_id'])
    .execute()

  await schema
    .createTable('mls_invites')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('convo_id', 'text', toConvo)
    .addColumn('psk_hash', 'text', required)
    .addColumn('target_id', 'text')
    .addColumn('created_by', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text')
    .addColumn('uses_left', 'integer')
    .addColumn('revoked_at', 'text')
    .addUniqueConstraint('mls_invites_psk', ['convo_id', 'psk_hash'])
    .execute()

  await schema
    .createTable('mls_reports')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('convo_id', 'text', toConvo)
    .addColumn('reporter_id', 'text', required)
    .addColumn('reported_id', 'text', required)
    .addColumn('category', 'text', required)
    .addColumn('content', columns.bytes, required)
    .addColumn('message_ids', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('status', 'text', required)
    .addColumn('action', 'text')
    .addColumn('notes', 'text')
    .addColumn('resolved_by', 'text')
    .addColumn('resolved_at', 'text')
    .execute()
  await schema
    .createIndex('mls_reports_convo')
    .on('mls_reports')
    .columns(['convo_id', 'id'])
    .execute()

  await schema
    .createTable('mls_blobs')
    .addColumn('convo_id', 'text', toConvo)
    .addColumn('sha256', 'text', required)
    .addColumn('owner_id', 'text', toUser)
    .addColumn('tenant_id', 'text', required)
    .addColumn('attachment_id', 'text', (column) => column.notNull().references('attachments.id'))
    .addColumn('size', big, required)
    .addColumn('created_at', 'text', required)
    .addPrimaryKeyConstraint('mls_blobs_key', ['convo_id', 'sha256', 'owner_id'])
    .execute()
  await schema
    .createIndex('mls_blobs_owner')
    .on('mls_blobs')
    .columns(['owner_id', 'sha256'])
    .execute()
  await schema.createIndex('mls_blobs_attachment').on('mls_blobs').column('attachment_id').execute()

  await schema
    .createTable('mls_opt_outs')
    .addColumn('user_id', 'text', (column) => column.primaryKey().notNull().references('users.id'))
    .addColumn('tenant_id', 'text', required)
    .addColumn('created_at', 'text', required)
    .execute()

  // Keyed by a hash of caller, method and idempotency key, so that a message's sender is not stored.
  await schema
    .createTable('mls_answers')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('body_hash', 'text', required)
    .addColumn('answer', 'text', required)
    .addColumn('created_at', 'text', required)
    .execute()
  await schema.createIndex('mls_answers_time').on('mls_answers').column('created_at').execute()

  await schema
    .createTable('mls_tickets')
    .addColumn('hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', toUser)
    .addColumn('session_id', 'text')
    .addColumn('convo_id', 'text')
    .addColumn('expires_at', 'text', required)
    .execute()

  await schema
    .createTable('atproto_nonces')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('expires_at', 'text', required)
    .execute()
  await schema
    .createIndex('atproto_nonces_expiry')
    .on('atproto_nonces')
    .column('expires_at')
    .execute()

  // The sender of an encrypted message is not known, so its push names none.
  await schema
    .alterTable('push_queue')
    .alterColumn('sender_id', (change) => change.dropNotNull())
    .execute()
}
