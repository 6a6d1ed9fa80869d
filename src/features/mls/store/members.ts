import type { Db, Tx } from '../../../db/database.ts'
import { prepared, preparedForIds, preparedForMany } from '../../../db/prepared.ts'
import type { MlsMemberRow, PushDeviceRow } from '../../../db/tables.ts'

const memberOf = prepared<{ convoId: string; userId: string }, MlsMemberRow>((db, params) =>
  db
    .selectFrom('mls_members')
    .selectAll()
    .where('convo_id', '=', params.convoId)
    .where('user_id', '=', params.userId),
)

/** A current or former member. */
export async function findMember(
  db: Db,
  convoId: string,
  userId: string,
): Promise<MlsMemberRow | undefined> {
  const [row] = await memberOf(db, { convoId, userId })
  return row
}

/** The members of conversations, including former ones. */
export async function listMembers(db: Db, convoIds: readonly string[]): Promise<MlsMemberRow[]> {
  if (convoIds.length === 0) return []
  return db
    .selectFrom('mls_members')
    .selectAll()
    .where('convo_id', 'in', convoIds)
    .orderBy('joined_at')
    .orderBy('user_id')
    .execute()
}

export async function listCurrentMembers(db: Db, convoId: string): Promise<MlsMemberRow[]> {
  return (await listMembers(db, [convoId])).filter((member) => member.left_at === null)
}

/** The ids of the conversations of which a person is a current member. */
export async function listConvoIds(db: Db, userId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('mls_members')
    .select('convo_id')
    .where('user_id', '=', userId)
    .where('left_at', 'is', null)
    .execute()
  return rows.map((row) => row.convo_id)
}

/** Which of the other people share a conversation with the person. */
export async function listCompanions(
  db: Db,
  userId: string,
  others: readonly string[],
): Promise<Set<string>> {
  const rows = await findCompanions(db, others, { userId })
  return new Set(rows.map((row) => row.user_id))
}

const findCompanions = preparedForIds((db, others, { userId }: { userId: string }) =>
  db
    .selectFrom('mls_members as mine')
    .innerJoin('mls_members as theirs', 'theirs.convo_id', 'mine.convo_id')
    .where('mine.user_id', '=', userId)
    .where('mine.left_at', 'is', null)
    .where('theirs.left_at', 'is', null)
    .where('theirs.user_id', 'in', others)
    .select('theirs.user_id')
    .distinct(),
)

/** Makes people members; a former member's row is replaced. */
export const upsertMembers: (tx: Tx, rows: readonly MlsMemberRow[]) => Promise<unknown> =
  preparedForMany<MlsMemberRow, never>((db, rows) =>
    db
      .insertInto('mls_members')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['convo_id', 'user_id']).doUpdateSet((eb) => ({
          is_admin: eb.ref('excluded.is_admin'),
          joined_at: eb.ref('excluded.joined_at'),
          joined_seq: eb.ref('excluded.joined_seq'),
          joined_epoch: eb.ref('excluded.joined_epoch'),
          joined_after: eb.ref('excluded.joined_after'),
          left_at: null,
          left_with: null,
          promoted_at: null,
          promoted_by: null,
        })),
      ),
  )

export async function updateMember(
  tx: Tx,
  convoId: string,
  userId: string,
  change: Partial<Omit<MlsMemberRow, 'convo_id' | 'user_id' | 'tenant_id'>>,
): Promise<void> {
  await tx
    .updateTable('mls_members')
    .set(change)
    .where('convo_id', '=', convoId)
    .where('user_id', '=', userId)
    .execute()
}

/** The push devices of current members with active accounts. */
export async function listConvoDevices(
  db: Db,
  convoIds: readonly string[],
): Promise<(PushDeviceRow & { convo_id: string })[]> {
  return db
    .selectFrom('mls_members as member')
    .innerJoin('users as user', 'user.id', 'member.user_id')
    .innerJoin('push_devices as device', 'device.user_id', 'member.user_id')
    .whereRef('device.tenant_id', '=', 'member.tenant_id')
    .where('user.status', '=', 'Active')
    .where('member.left_at', 'is', null)
    .where('member.convo_id', 'in', convoIds)
    .selectAll('device')
    .select('member.convo_id')
    .execute()
}
