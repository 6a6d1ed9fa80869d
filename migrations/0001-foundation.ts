import { type ColumnDefinitionBuilder, type Kysely, sql } from 'kysely'
import type { Columns } from '../src/db/columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const key = (column: ColumnDefinitionBuilder) => column.primaryKey().notNull()

export async function up(db: Kysely<unknown>, columns: Columns): Promise<void> {
  const { schema } = db

  await schema
    .createTable('users')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('username', 'text', required)
    .addColumn('username_key', 'text', required)
    .addColumn('email', 'text', required)
    .addColumn('phone', 'text')
    .addColumn('password_hash', 'text', required)
    .addColumn('status', 'text', required)
    .addColumn('role', 'text', required)
    .addColumn('friend_key', 'text', required)
    .addColumn('last_seen_at', 'text')
    .addColumn('created_at', 'text', required)
    .addColumn('updated_at', 'text', required)
    .addUniqueConstraint('users_username', ['tenant_id', 'username_key'])
    .addUniqueConstraint('users_email', ['tenant_id', 'email'])
    .addUniqueConstraint('users_friend_key', ['friend_key'])
    .execute()
  await schema.createIndex('users_status').on('users').columns(['tenant_id', 'status']).execute()

  await schema
    .createTable('email_tokens')
    .addColumn('token_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('used_at', 'text')
    .execute()
  await schema.createIndex('email_tokens_user').on('email_tokens').column('user_id').execute()

  await schema
    .createTable('sessions')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('ip', 'text')
    .addColumn('user_agent', 'text')
    .addColumn('created_at', 'text', required)
    .addColumn('last_used_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('revoked_at', 'text')
    .addColumn('revoked_reason', 'text')
    .execute()
  await schema.createIndex('sessions_user').on('sessions').column('user_id').execute()

  await schema
    .createTable('refresh_tokens')
    .addColumn('token_hash', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('session_id', 'text', (column) => column.notNull().references('sessions.id'))
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('rotated_at', 'text')
    .addColumn('successor_hash', 'text')
    .execute()
  await schema
    .createIndex('refresh_tokens_session')
    .on('refresh_tokens')
    .column('session_id')
    .execute()
  await schema
    .createIndex('refresh_tokens_expiry')
    .on('refresh_tokens')
    .column('expires_at')
    .execute()

  await schema
    .createTable('invitations')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('token_hash', 'text', (column) => column.notNull().unique())
    .addColumn('note', 'text')
    .addColumn('created_by', 'text')
    .addColumn('created_at', 'text', required)
    .addColumn('expires_at', 'text', required)
    .addColumn('redeemed_by', 'text')
    .addColumn('redeemed_at', 'text')
    .execute()

  await schema
    .createTable('push_devices')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('token', 'text', (column) => column.notNull().unique())
    .addColumn('platform', 'text', required)
    .addColumn('created_at', 'text', required)
    .execute()
  await schema.createIndex('push_devices_user').on('push_devices').column('user_id').execute()

  await schema
    .createTable('friendships')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('pair_key', 'text', (column) => column.notNull().unique())
    .addColumn('requester_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('addressee_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('status', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('responded_at', 'text')
    .execute()
  await schema
    .createIndex('friendships_requester')
    .on('friendships')
    .column('requester_id')
    .execute()
  await schema
    .createIndex('friendships_addressee')
    .on('friendships')
    .column('addressee_id')
    .execute()

  await schema
    .createTable('conversations')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('type', 'text', required)
    .addColumn('name', 'text')
    .addColumn('dm_key', 'text', (column) => column.unique())
    .addColumn('created_by', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('created_at', 'text', required)
    .addColumn('last_activity_at', 'text', required)
    .execute()

  await schema
    .createTable('conversation_members')
    .addColumn('conversation_id', 'text', (column) =>
      column.notNull().references('conversations.id'),
    )
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('tenant_id', 'text', required)
    .addColumn('role', 'text', required)
    .addColumn('joined_at', 'text', required)
    .addColumn('left_at', 'text')
    .addColumn('last_read_at', 'text')
    .addColumn('last_read_message_id', 'text')
    .addPrimaryKeyConstraint('conversation_members_key', ['conversation_id', 'user_id'])
    .execute()
  await schema
    .createIndex('conversation_members_user')
    .on('conversation_members')
    .columns(['user_id', 'left_at'])
    .execute()

  // No foreign keys on the two busiest tables: their writers have just checked the membership, which
  // has them, and the lookups would cost a sixth of a message's time.
  await schema
    .createTable('messages')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('conversation_id', 'text', required)
    .addColumn('sender_id', 'text', required)
    .addColumn('client_message_id', 'text')
    .addColumn('key_id', 'text', required)
    .addColumn('sealed', columns.bytes, required)
    .addColumn('created_at', 'text', required)
    .addColumn('edited_at', 'text')
    .addColumn('deleted_at', 'text')
    .execute()
  // Version 7 ids sort by time, so one index serves history by id, history by time and the newest message.
  await schema
    .createIndex('messages_conversation')
    .on('messages')
    .columns(['conversation_id', 'id'])
    .execute()
  await schema
    .createIndex('messages_client_id')
    .on('messages')
    .columns(['sender_id', 'conversation_id', 'client_message_id'])
    .unique()
    .where(sql.ref('client_message_id'), 'is not', null)
    .execute()

  await schema
    .createTable('events')
    .addColumn('position', columns.position.type, columns.position.define)
    .addColumn('writer', columns.writer.type, columns.writer.define)
    .addColumn('tenant_id', 'text', required)
    .addColumn('audience_id', 'text', required)
    .addColumn('name', 'text', required)
    .addColumn('subject_id', 'text', required)
    .addColumn('created_at', 'text', required)
    .execute()
  await schema
    .createIndex('events_audience')
    .on('events')
    .columns(['audience_id', 'position'])
    .execute()

  await schema
    .createTable('audit_events')
    .addColumn('id', 'text', key)
    .addColumn('tenant_id', 'text', required)
    .addColumn('created_at', 'text', required)
    .addColumn('type', 'text', required)
    .addColumn('outcome', 'text', required)
    .addColumn('actor_kind', 'text', required)
    .addColumn('actor_id', 'text')
    .addColumn('session_id', 'text')
    .addColumn('target_type', 'text')
    .addColumn('target_id', 'text')
    .addColumn('operation', 'text', required)
    .addColumn('ip', 'text')
    .addColumn('user_agent_hash', 'text')
    .addColumn('request_id', 'text', required)
    .addColumn('details', 'text', required)
    .execute()
  await columns.forbidChanges(db, 'audit_events')

  await schema
    .createTable('audit_chain')
    .addColumn('position', columns.position.type, columns.position.define)
    .addColumn('event_id', 'text', (column) =>
      column.notNull().unique().references('audit_events.id'),
    )
    .addColumn('previous_hash', 'text', required)
    .addColumn('hash', 'text', required)
    .execute()
  await columns.forbidChanges(db, 'audit_chain')
}
