import type { Db, Tx } from '../../db/database.ts'
import { preparedForMany } from '../../db/prepared.ts'
import type { PushDeviceRow } from '../../db/tables.ts'

/** More than a person has; registering another one drops the oldest. */
const MAX_PER_USER = 32

/** Registers a token; one that another user registered moves to this user. Returns the device's id. */
export async function upsertDevice(tx: Tx, row: PushDeviceRow): Promise<string> {
  const { id: _, token: __, created_at: ___, last_used_at: ____, ...changed } = row
  const kept = await tx
    .insertInto('push_devices')
    .values(row)
    .onConflict((conflict) => conflict.column('token').doUpdateSet(changed))
    .returning('id')
    .executeTakeFirstOrThrow()
  const surplus = await tx
    .selectFrom('push_devices')
    .select('id')
    .where('user_id', '=', row.user_id)
    .where('id', '!=', kept.id)
    .orderBy('id', 'desc')
    .limit(1000)
    .offset(MAX_PER_USER - 1)
    .execute()
  if (surplus.length > 0) {
    const ids = surplus.map(({ id }) => id)
    await tx.deleteFrom('push_devices').where('id', 'in', ids).execute()
  }
  return kept.id
}

export async function deleteDevice(
  tx: Tx,
  userId: string,
  token: string,
): Promise<string | undefined> {
  const row = await tx
    .deleteFrom('push_devices')
    .where('user_id', '=', userId)
    .where('token', '=', token)
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/** False if the user has no such subscription. */
export async function deleteSubscription(
  tx: Tx,
  tenantId: string,
  userId: string,
  id: string,
): Promise<boolean> {
  const result = await tx
    .deleteFrom('push_devices')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .where('kind', '=', 'webpush')
    .where('id', '=', id)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}

/** The devices of some people, newest first. */
export async function listDevices(
  db: Db,
  tenantId: string,
  userIds: readonly string[],
): Promise<PushDeviceRow[]> {
  return db
    .selectFrom('push_devices')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('user_id', 'in', userIds)
    .orderBy('id', 'desc')
    .execute()
}

export async function hasDevices(db: Db): Promise<boolean> {
  const row = await db.selectFrom('push_devices').select('id').limit(1).executeTakeFirst()
  return row !== undefined
}

interface MemberDeviceRow extends PushDeviceRow {
  conversation_id: string
}

/** The devices of current members with active accounts who have not muted the conversation. */
export const listMemberDevices = preparedForMany<
  { tenantId: string; conversationId: string; now: string },
  MemberDeviceRow
>((db, rows) =>
  db
    .selectFrom('conversation_members as member')
    .innerJoin('users as user', 'user.id', 'member.user_id')
    .innerJoin('push_devices as device', 'device.user_id', 'member.user_id')
    .whereRef('device.tenant_id', '=', 'member.tenant_id')
    .where('user.status', '=', 'Active')
    .where('member.left_at', 'is', null)
    .where(({ eb, or, and }) =>
      or(
        rows.map(({ tenantId, conversationId, now }) =>
          and([
            eb('member.conversation_id', '=', conversationId),
            eb('member.tenant_id', '=', tenantId),
            or([eb('member.muted_until', 'is', null), eb('member.muted_until', '<=', now)]),
          ]),
        ),
      ),
    )
    .selectAll('device')
    .select('member.conversation_id'),
)

/** Deletes a device that its push service no longer knows, unless it was registered again meanwhile. */
export async function forgetDevice(
  tx: Tx,
  device: Pick<PushDeviceRow, 'id' | 'token' | 'key_id'>,
): Promise<void> {
  await tx
    .deleteFrom('push_devices')
    .where('id', '=', device.id)
    .where('token', '=', device.token)
    .where('key_id', device.key_id === null ? 'is' : '=', device.key_id)
    .execute()
}

const forgetOfSessions = preparedForMany<{ id: string }, never>((db, sessions) =>
  db.deleteFrom('push_devices').where(
    'session_id',
    'in',
    sessions.map(({ id }) => id),
  ),
)

/** Deletes the devices that sessions registered, with their queued pushes. */
export async function forgetDevicesOfSessions(
  tx: Tx,
  sessionIds: readonly string[],
): Promise<void> {
  await forgetOfSessions(
    tx,
    sessionIds.map((id) => ({ id })),
  )
}

export async function touchDevice(tx: Tx, id: string, now: string): Promise<void> {
  await tx.updateTable('push_devices').set({ last_used_at: now }).where('id', '=', id).execute()
}

/** Deletes subscriptions past their own expiry time. */
export async function deleteExpiredDevices(tx: Tx, now: string): Promise<void> {
  await tx.deleteFrom('push_devices').where('expires_at', '<=', now).execute()
}

/** The devices of one active person, for callers that do not know the tenant. */
export async function listDevicesOfUser(db: Db, userId: string): Promise<PushDeviceRow[]> {
  return db
    .selectFrom('push_devices as device')
    .innerJoin('users as user', 'user.id', 'device.user_id')
    .whereRef('user.tenant_id', '=', 'device.tenant_id')
    .where('user.id', '=', userId)
    .where('user.status', '=', 'Active')
    .selectAll('device')
    .execute()
}

/** Deletes a person's devices; returns how many. */
export async function forgetDevicesOfUser(tx: Tx, userId: string): Promise<number> {
  const result = await tx
    .deleteFrom('push_devices')
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
