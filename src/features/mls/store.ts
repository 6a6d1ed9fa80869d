import type { Db, Tx } from '../../db/database.ts'
import { prepared, preparedForIds, preparedForMany } from '../../db/prepared.ts'
import type {
  MlsConvoRow,
  MlsLeafRow,
  MlsMemberRow,
  MlsProposalRow,
  PushDeviceRow,
} from '../../db/tables.ts'

/** Returns false if the group id is taken. */
export async function insertConvo(tx: Tx, row: MlsConvoRow): Promise<boolean> {
  const result = await tx
    .insertInto('mls_convos')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

const CONVO_COLUMNS = [
  'id',
  'tenant_id',
  'creator_id',
  'cipher_suite',
  'epoch',
  'last_seq',
  'floor_seq',
  'removal_epoch',
  'knows_leaves',
  'name',
  'description',
  'group_info_epoch',
  'allow_member_add',
  'allow_invites',
  'allow_external_commits',
  'max_members',
  'created_at',
  'last_message_at',
] as const

/** A conversation without its GroupInfo, which is large. */
export type Convo = Omit<MlsConvoRow, 'group_info'>

const byId = prepared<{ tenantId: string; id: string }, Convo>((db, params) =>
  db
    .selectFrom('mls_convos')
    .select(CONVO_COLUMNS)
    .where('tenant_id', '=', params.tenantId)
    .where('id', '=', params.id),
)

export async function findConvo(db: Db, tenantId: string, id: string): Promise<Convo | undefined> {
  const [row] = await byId(db, { tenantId, id })
  return row
}

const hold = prepared<{ tenantId: string; id: string }, Convo>((db, params) =>
  db
    .updateTable('mls_convos')
    .set((eb) => ({ last_seq: eb.ref('last_seq') }))
    .where('tenant_id', '=', params.tenantId)
    .where('id', '=', params.id)
    .returning(CONVO_COLUMNS),
)

/** Finds and locks a conversation until the transaction ends; epoch and sequence depend on this lock. */
export async function holdConvo(tx: Tx, tenantId: string, id: string): Promise<Convo | undefined> {
  const [row] = await hold(tx, { tenantId, id })
  return row
}

export async function updateConvo(
  tx: Tx,
  id: string,
  change: Partial<Omit<MlsConvoRow, 'id' | 'tenant_id'>>,
): Promise<void> {
  await tx.updateTable('mls_convos').set(change).where('id', '=', id).execute()
}

export async function findGroupInfo(db: Db, id: string): Promise<Buffer | undefined> {
  const row = await db
    .selectFrom('mls_convos')
    .select('group_info')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.group_info ?? undefined
}

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

/** A page of a person's conversations, newest first, starting after `after`. */
export async function listConvosOf(
  db: Db,
  userId: string,
  after: { readonly createdAt: string; readonly id: string } | undefined,
  limit: number,
): Promise<Convo[]> {
  return db
    .selectFrom('mls_members as member')
    .innerJoin('mls_convos', 'mls_convos.id', 'member.convo_id')
    .where('member.user_id', '=', userId)
    .where('member.left_at', 'is', null)
    .$if(after !== undefined, (query) =>
      query.where(({ and, eb, or }) =>
        or([
          eb('mls_convos.created_at', '<', after?.createdAt ?? ''),
          and([
            eb('mls_convos.created_at', '=', after?.createdAt ?? ''),
            eb('mls_convos.id', '<', after?.id ?? ''),
          ]),
        ]),
      ),
    )
    .select(CONVO_COLUMNS.map((name) => `mls_convos.${name}` as const))
    .orderBy('mls_convos.created_at', 'desc')
    .orderBy('mls_convos.id', 'desc')
    .limit(limit)
    .execute()
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

/** A leaf with its device's signature key and deletion time. */
export type Leaf = MlsLeafRow & { signature_key: string; deleted_at: string | null }

/** The occupied leaves of conversations, by leaf index. */
export async function listLeaves(db: Db, convoIds: readonly string[]): Promise<Leaf[]> {
  if (convoIds.length === 0) return []
  return db
    .selectFrom('mls_leaves as leaf')
    .innerJoin('mls_devices as device', 'device.id', 'leaf.device_id')
    .where('leaf.convo_id', 'in', convoIds)
    .selectAll('leaf')
    .select(['device.signature_key', 'device.deleted_at'])
    .orderBy('leaf.leaf_index')
    .execute()
}

/** The conversations whose trees contain a device, with their last sequence numbers. */
export async function listConvosOfDevice(
  db: Db,
  deviceId: string,
): Promise<Pick<Convo, 'id' | 'last_seq'>[]> {
  return db
    .selectFrom('mls_leaves as leaf')
    .innerJoin('mls_convos as convo', 'convo.id', 'leaf.convo_id')
    .where('leaf.device_id', '=', deviceId)
    .select(['convo.id', 'convo.last_seq'])
    .distinct()
    .execute()
}

export const insertLeaves: (tx: Tx, rows: readonly MlsLeafRow[]) => Promise<unknown> =
  preparedForMany<MlsLeafRow, never>((db, rows) => db.insertInto('mls_leaves').values(rows))

export async function deleteLeaves(
  tx: Tx,
  convoId: string,
  indices: readonly number[],
): Promise<void> {
  if (indices.length === 0) return
  await tx
    .deleteFrom('mls_leaves')
    .where('convo_id', '=', convoId)
    .where('leaf_index', 'in', indices)
    .execute()
}

export async function insertProposals(tx: Tx, rows: readonly MlsProposalRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx
    .insertInto('mls_proposals')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['convo_id', 'ref']).doNothing())
    .execute()
}

export async function listProposals(db: Db, convoId: string): Promise<MlsProposalRow[]> {
  return db.selectFrom('mls_proposals').selectAll().where('convo_id', '=', convoId).execute()
}

export async function deleteProposals(tx: Tx, convoId: string): Promise<void> {
  await tx.deleteFrom('mls_proposals').where('convo_id', '=', convoId).execute()
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

/** A page of all conversations, by id. */
export async function listConvoPage(
  db: Db,
  after: string,
  limit: number,
): Promise<Pick<Convo, 'id' | 'tenant_id'>[]> {
  return db
    .selectFrom('mls_convos')
    .select(['id', 'tenant_id'])
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
}

export interface ConvoTotalsRow extends Pick<Convo, 'id' | 'epoch' | 'created_at'> {
  readonly members: number
  readonly messages: number
  readonly bytes: number
}

/** The sizes of all conversations of a tenant, newest first. */
export async function listConvoTotals(db: Db, tenantId: string): Promise<ConvoTotalsRow[]> {
  const rows = await db
    .selectFrom('mls_convos as convo')
    .where('convo.tenant_id', '=', tenantId)
    .select(['convo.id', 'convo.epoch', 'convo.created_at'])
    .select(({ selectFrom }) => [
      selectFrom('mls_members as member')
        .whereRef('member.convo_id', '=', 'convo.id')
        .where('member.left_at', 'is', null)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .as('members'),
      selectFrom('mls_messages as message')
        .whereRef('message.convo_id', '=', 'convo.id')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .as('messages'),
      selectFrom('mls_messages as message')
        .whereRef('message.convo_id', '=', 'convo.id')
        .select((eb) => eb.fn.sum<number>('message.size').as('bytes'))
        .as('bytes'),
    ])
    .orderBy('convo.created_at', 'desc')
    .orderBy('convo.id')
    .execute()
  return rows.map((row) => ({
    ...row,
    members: Number(row.members ?? 0),
    messages: Number(row.messages ?? 0),
    bytes: Number(row.bytes ?? 0),
  }))
}
