import type { Db } from '../../db/database.ts'
import { whenGiven } from '../../db/when-given.ts'

/**
 * The people who currently share a conversation with the person, each once; blocked direct conversations
 * do not count. With `among`, only those of the given people.
 */
export async function listCompanions(
  db: Db,
  { tenantId, userId }: { readonly tenantId: string; readonly userId: string },
  among?: readonly string[],
): Promise<string[]> {
  const rows = await db
    .selectFrom('conversation_members as me')
    .innerJoin('conversation_members as other', 'other.conversation_id', 'me.conversation_id')
    .where('me.user_id', '=', userId)
    .where('me.tenant_id', '=', tenantId)
    .where('me.left_at', 'is', null)
    .where('me.blocked_at', 'is', null)
    .where('other.left_at', 'is', null)
    .where('other.user_id', '!=', userId)
    .$call(whenGiven(among, (query, among) => query.where('other.user_id', 'in', among)))
    .select('other.user_id')
    .distinct()
    .execute()
  return rows.map((row) => row.user_id)
}
