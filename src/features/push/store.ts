import type { Db, Tx } from '../../db/database.ts'
import type { Engine, EventPlace } from '../../db/engine.ts'
import { lockOnly } from '../../db/lock-only.ts'
import { preparedForMany } from '../../db/prepared.ts'
import type { PushDeviceRow, QueuedPushRow } from '../../db/tables.ts'

const PROGRESS = 'messages'
/**
 * PostgreSQL orders events by the writing transaction and has no index for that order. To bound each
 * query, a transaction that is overtaken by more events than this loses its pushes.
 */
const OVERTAKING = 10_000

/** The position up to which events were read; undefined on a new server. */
export async function findProgress(db: Db): Promise<EventPlace | undefined> {
  return db
    .selectFrom('push_progress')
    .select(['writer', 'position'])
    .where('id', '=', PROGRESS)
    .executeTakeFirst()
}

/** The same, locked against other nodes until the transaction ends. */
export async function lockProgress(tx: Tx): Promise<EventPlace | undefined> {
  return tx
    .updateTable('push_progress')
    .set(lockOnly('id'))
    .where('id', '=', PROGRESS)
    .returning(['writer', 'position'])
    .executeTakeFirst()
}

export async function insertProgress(tx: Tx, place: EventPlace): Promise<void> {
  await tx
    .insertInto('push_progress')
    .values({ id: PROGRESS, ...place })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

export async function moveProgress(tx: Tx, place: EventPlace): Promise<void> {
  await tx.updateTable('push_progress').set(place).where('id', '=', PROGRESS).execute()
}

export interface LatestEvent {
  readonly writer: number
  readonly position: number
  readonly tenant_id: string
  readonly conversation_id: string | null
  readonly sender_id: string | null
  readonly name: string
  readonly audience_id: string
  readonly subject_id: string
  readonly created_at: string
}

/** The events after a place, in order; messages that still exist come with their sender. */
export async function listEventsBehind(
  db: Db,
  engine: Engine,
  place: EventPlace,
  limit: number,
): Promise<LatestEvent[]> {
  return selectEvents(db)
    .where(engine.isSettledBehind(place))
    .where('event.position', '>', place.position - OVERTAKING)
    .orderBy('event.writer')
    .orderBy('event.position')
    .limit(limit)
    .execute()
}

/** The newest events of one conversation up to a place, in their order. */
export async function listNewestEventsOf(
  db: Db,
  engine: Engine,
  audienceId: string,
  place: EventPlace,
  limit: number,
): Promise<LatestEvent[]> {
  const newest = await selectEvents(db)
    .where('event.audience_id', '=', audienceId)
    .where(engine.isUpTo(place))
    .orderBy('event.writer', 'desc')
    .orderBy('event.position', 'desc')
    .limit(limit)
    .execute()
  return newest.reverse()
}

function selectEvents(db: Db) {
  return db
    .selectFrom('events as event')
    .leftJoin('messages as message', (join) =>
      join
        .onRef('message.id', '=', 'event.subject_id')
        .onRef('message.tenant_id', '=', 'event.tenant_id')
        .on('event.name', '=', 'MessageReceived')
        .on('message.deleted_at', 'is', null),
    )
    .select([
      'event.writer',
      'event.position',
      'event.tenant_id',
      'event.name',
      'event.audience_id',
      'event.subject_id',
      'event.created_at',
      'message.conversation_id',
      'message.sender_id',
    ])
}

/** Queues pushes; each replaces one still waiting for the same conversation and device. */
export const insertQueued = preparedForMany<QueuedPushRow, never>((db, rows) =>
  db
    .insertInto('push_queue')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['device_id', 'conversation_id']).doUpdateSet((eb) => ({
        // A new id, so that the older one's outcome does not delete this one.
        id: eb.ref('excluded.id'),
        tenant_id: eb.ref('excluded.tenant_id'),
        user_id: eb.ref('excluded.user_id'),
        service: eb.ref('excluded.service'),
        sender_id: eb.ref('excluded.sender_id'),
        created_at: eb.ref('excluded.created_at'),
        expires_at: eb.ref('excluded.expires_at'),
        // New messages do not bring forward the retry of a failing service.
        next_attempt_at: eb
          .case()
          .when('push_queue.attempts', '=', 0)
          .then(eb.ref('excluded.next_attempt_at'))
          .else(eb.ref('push_queue.next_attempt_at'))
          .end(),
      })),
    ),
)

export interface DuePushRow extends QueuedPushRow {
  token: PushDeviceRow['token']
  kind: PushDeviceRow['kind']
  platform: PushDeviceRow['platform']
  p256dh: string | null
  auth: string | null
  key_id: string | null
  /** Null: no sender is named. */
  sender_username: string | null
}

/** Pushes that may be sent now, longest overdue first, except to busy services. */
export async function listDue(
  db: Db,
  now: string,
  busy: readonly string[],
  limit: number,
): Promise<DuePushRow[]> {
  return db
    .selectFrom('push_queue as queued')
    .innerJoin('push_devices as device', (join) =>
      join
        .onRef('device.id', '=', 'queued.device_id')
        .onRef('device.tenant_id', '=', 'queued.tenant_id')
        .onRef('device.user_id', '=', 'queued.user_id'),
    )
    .innerJoin('users as owner', 'owner.id', 'queued.user_id')
    .leftJoin('users as sender', 'sender.id', 'queued.sender_id')
    .where('owner.status', '=', 'Active')
    .where('queued.next_attempt_at', '<=', now)
    .where('queued.expires_at', '>', now)
    .$if(busy.length > 0, (query) => query.where('queued.service', 'not in', busy))
    .selectAll('queued')
    .select(['device.token', 'device.kind', 'device.platform'])
    .select(['device.p256dh', 'device.auth', 'device.key_id'])
    .select('sender.username as sender_username')
    .orderBy('queued.next_attempt_at')
    .limit(limit)
    .execute()
}

/** Whether anything is queued at all. */
export async function hasQueued(db: Db): Promise<boolean> {
  const row = await db.selectFrom('push_queue').select('id').limit(1).executeTakeFirst()
  return row !== undefined
}

/** Postpones those that nobody else has claimed meanwhile, and returns their ids. */
export async function claim(
  tx: Tx,
  ids: readonly string[],
  now: string,
  until: string,
): Promise<Set<string>> {
  const rows = await tx
    .updateTable('push_queue')
    .set({ next_attempt_at: until })
    .where('id', 'in', ids)
    .where('next_attempt_at', '<=', now)
    .returning('id')
    .execute()
  return new Set(rows.map(({ id }) => id))
}

export async function deleteQueued(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.deleteFrom('push_queue').where('id', 'in', ids).execute()
}

export async function postpone(
  tx: Tx,
  id: string,
  attempts: number,
  nextAttemptAt: string,
): Promise<void> {
  await tx
    .updateTable('push_queue')
    .set({ attempts, next_attempt_at: nextAttemptAt })
    .where('id', '=', id)
    .execute()
}

export async function deleteExpiredQueued(tx: Tx, now: string): Promise<void> {
  await tx.deleteFrom('push_queue').where('expires_at', '<=', now).execute()
}

export async function countQueued(db: Db): Promise<number> {
  const row = await db
    .selectFrom('push_queue')
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}
