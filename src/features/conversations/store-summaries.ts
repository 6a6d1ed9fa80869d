import type { Db } from '../../db/database.ts'

/** The person's conversations with the time of each one's last message, newest first. */
export async function listActivity(db: Db, tenantId: string, userId: string) {
  return db
    .selectFrom('conversation_members as me')
    .innerJoin('conversations as conversation', 'conversation.id', 'me.conversation_id')
    .where('me.user_id', '=', userId)
    .where('me.tenant_id', '=', tenantId)
    .where('me.left_at', 'is', null)
    .select(['conversation.id', 'conversation.last_activity_at'])
    .orderBy('conversation.last_activity_at', 'desc')
    .execute()
}

/** The user's conversations, newest activity first, all from one query however many there are. */
export async function listSummaries(db: Db, tenantId: string, userId: string, now: string) {
  return db
    .selectFrom('conversation_members as me')
    .innerJoin('conversations as conversation', 'conversation.id', 'me.conversation_id')
    .leftJoin('conversation_members as other', (join) =>
      join
        .onRef('other.conversation_id', '=', 'conversation.id')
        .on('other.user_id', '!=', userId)
        .on('conversation.type', '=', 'Dm'),
    )
    .leftJoin('users as other_user', 'other_user.id', 'other.user_id')
    .leftJoin('messages as last', (join) =>
      join.on('last.id', '=', (on) =>
        on
          .selectFrom('messages as newest')
          .select('newest.id')
          .whereRef('newest.conversation_id', '=', 'conversation.id')
          .where('newest.deleted_at', 'is', null)
          .where(({ or, eb }) =>
            or([eb('newest.expires_at', 'is', null), eb('newest.expires_at', '>', now)]),
          )
          .orderBy('newest.id', 'desc')
          .limit(1),
      ),
    )
    .where('me.user_id', '=', userId)
    .where('me.tenant_id', '=', tenantId)
    .where('me.left_at', 'is', null)
    .select([
      'conversation.id',
      'conversation.type',
      'conversation.name',
      'conversation.avatar_id',
      'me.blocked_at',
      'other.user_id as other_user_id',
      'other_user.username as other_username',
      'other_user.display_name as other_display_name',
      'other_user.avatar_id as other_avatar_id',
      'last.id as last_id',
      'last.sender_id as last_sender_id',
      'last.key_id as last_key_id',
      'last.sealed as last_sealed',
      'last.created_at as last_created_at',
    ])
    .select((select) => [
      select
        .selectFrom('conversation_members as member')
        .whereRef('member.conversation_id', '=', 'conversation.id')
        .where('member.left_at', 'is', null)
        .select((count) => count.fn.countAll<number>().as('count'))
        .as('member_count'),
      select
        .selectFrom('messages as unread')
        .whereRef('unread.conversation_id', '=', 'conversation.id')
        .where((where) =>
          where('unread.id', '>', where.fn.coalesce('me.last_read_message_id', where.val(''))),
        )
        .where('unread.sender_id', '!=', userId)
        .where('unread.deleted_at', 'is', null)
        .where(({ or, eb }) =>
          or([eb('unread.expires_at', 'is', null), eb('unread.expires_at', '>', now)]),
        )
        .select((count) => count.fn.countAll<number>().as('count'))
        .as('unread_count'),
    ])
    .orderBy('conversation.last_activity_at', 'desc')
    .orderBy('conversation.id', 'desc')
    .execute()
}
