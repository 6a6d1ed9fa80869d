import type { Db, Tx } from '../../../db/database.ts'
import { lockOnly } from '../../../db/lock-only.ts'
import { prepared } from '../../../db/prepared.ts'
import type { MlsConvoRow } from '../../../db/tables.ts'
import { whenGiven } from '../../../db/when-given.ts'

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

const lockById = prepared<{ tenantId: string; id: string }, Convo>((db, params) =>
  db
    .updateTable('mls_convos')
    .set(lockOnly('last_seq'))
    .where('tenant_id', '=', params.tenantId)
    .where('id', '=', params.id)
    .returning(CONVO_COLUMNS),
)

/** Finds and locks a conversation until the transaction ends; epoch and sequence depend on this lock. */
export async function lockConvo(tx: Tx, tenantId: string, id: string): Promise<Convo | undefined> {
  const [row] = await lockById(tx, { tenantId, id })
  return row
}

export async function updateConvo(
  tx: Tx,
  id: string,
  change: Partial<Omit<MlsConvoRow, 'id' | 'tenant_id'>>,
): Promise<void> {
  await tx.updateTable('mls_convos').set(change).where('id', '=', id).execute()
}

/** The GroupInfo of the current epoch with its place; undefined if there is none. */
export async function findGroupInfo(
  db: Db,
  id: string,
): Promise<{ groupInfo: Buffer; epoch: number; lastSeq: number } | undefined> {
  const row = await db
    .selectFrom('mls_convos')
    .select(['group_info', 'epoch', 'last_seq'])
    .where('id', '=', id)
    .whereRef('group_info_epoch', '=', 'epoch')
    .executeTakeFirst()
  return row?.group_info
    ? { groupInfo: row.group_info, epoch: row.epoch, lastSeq: row.last_seq }
    : undefined
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
    .$call(
      whenGiven(after, (query, after) =>
        query.where(({ and, eb, or }) =>
          or([
            eb('mls_convos.created_at', '<', after.createdAt),
            and([
              eb('mls_convos.created_at', '=', after.createdAt),
              eb('mls_convos.id', '<', after.id),
            ]),
          ]),
        ),
      ),
    )
    .select(CONVO_COLUMNS.map((name) => `mls_convos.${name}` as const))
    .orderBy('mls_convos.created_at', 'desc')
    .orderBy('mls_convos.id', 'desc')
    .limit(limit)
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
