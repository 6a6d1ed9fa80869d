import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { Engine, EventPlace } from '../../db/engine.ts'
import type { PushDeviceRow, QueuedPushRow } from '../../db/tables.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { listActivity } from '../conversations/access.ts'
import { hasDevices, listDevicesOfUser, listMemberDevices } from '../devices/access.ts'
import { isEncryptedMessage, listConvoDevices, listConvoIds } from '../mls/access.ts'
import { channelOf, serviceOf } from './send.ts'
import type { LatestEvent } from './store.ts'
import {
  findProgress,
  insertProgress,
  insertQueued,
  listEventsBehind,
  listNewestEventsOf,
  lockProgress,
  moveProgress,
} from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'push'>

/** How long a message's push stays useful: also the longest time that FCM keeps one. */
const MESSAGE_AGE = 28 * DAY
/** Events read in one transaction. */
const PAGE = 1000
/**
 * Events read per conversation, at first and at most, to find what came while a
 * connection was lost unnoticed.
 */
const FEW = 16
const MOST = 1024

/** Whether a person is to be told by push. */
type IsAway = (userId: string) => boolean

/**
 * Queues a push for every device of the members who are away, for the messages since the last run. The
 * position is advanced in the same transaction, so that no committed message is missed, however the
 * process ends. Returns the number of events read.
 */
export async function collectPushes(ctx: Needs, isAway: IsAway): Promise<number> {
  const { db } = ctx
  const before = await findProgress(db.read)
  const [some] = before ? await listEventsBehind(db.read, db.engine, before, 1) : []
  if (!some) return 0
  if (!(await hasDevices(db.read))) return skip(ctx)
  return db.transaction(async (tx) => {
    const place = await lockProgress(tx)
    const events = place ? await listEventsBehind(tx, db.engine, place, PAGE) : []
    const last = events.at(-1)
    if (!last) return 0
    await insertQueued(tx, [
      ...(await pushesFor(ctx, tx, events, isAway)),
      ...(await wakeUpsFor(ctx, tx, events, isAway)),
    ])
    await moveProgress(tx, { writer: String(last.writer), position: last.position })
    return events.length
  })
}

/**
 * Queues the pushes that were skipped because the person seemed to be connected: for what
 * came since the connection was last heard from, up to the position of the last run. Later
 * events are left to the next run.
 */
export async function collectMissed(ctx: Needs, userId: string, heardAt: number): Promise<void> {
  const { db } = ctx
  const [device] = await listDevicesOfUser(db.read, userId)
  if (!device) return
  const since = toIso(heardAt)
  await db.transaction(async (tx) => {
    const place = await lockProgress(tx)
    if (!place) return
    const active = (await listActivity(tx, device.tenant_id, userId)).filter(
      (conversation) => conversation.last_activity_at >= since,
    )
    const audiences = [...active.map(({ id }) => id), ...(await listConvoIds(tx, userId))]
    const events: LatestEvent[] = []
    for (const audience of audiences)
      events.push(...(await eventsSince(tx, db.engine, audience, place, since)))
    const isLost = (id: string) => id === userId
    await insertQueued(tx, [
      ...(await pushesFor(ctx, tx, events, isLost)),
      ...(await wakeUpsFor(ctx, tx, events, isLost)),
    ])
  })
}

/**
 * Reads backwards in growing pages, so that a quiet conversation costs next to
 * nothing: the event index has no times.
 */
async function eventsSince(
  tx: Tx,
  engine: Engine,
  audienceId: string,
  place: EventPlace,
  since: string,
): Promise<LatestEvent[]> {
  for (let limit = FEW; ; limit *= 8) {
    const newest = await listNewestEventsOf(tx, engine, audienceId, place, limit)
    const events = newest.filter((event) => event.created_at >= since)
    if (events.length < limit || limit >= MOST) return events
  }
}

/** Stores the start position of a new server, before anybody can send, so that the first message counts. */
export async function beginCollecting({ db }: Pick<Ctx, 'db'>): Promise<void> {
  if (await findProgress(db.read)) return
  const newest = await db.engine.newestPlace()
  await db.transaction((tx) => insertProgress(tx, newest))
}

/** No devices to push to: skips everything that has happened so far. */
async function skip(ctx: Needs): Promise<number> {
  const newest = await ctx.db.engine.newestPlace()
  await ctx.db.transaction((tx) => moveProgress(tx, newest))
  return 0
}

interface Told {
  readonly tenantId: string
  /**
   * The senders of the newest message and of the newest one by anybody else: the first sender's own
   * devices are told of the latter.
   */
  readonly senders: string[]
}

async function pushesFor(
  ctx: Needs,
  tx: Tx,
  events: readonly LatestEvent[],
  isAway: IsAway,
): Promise<QueuedPushRow[]> {
  const told = new Map<string, Told>()
  for (const event of events.toReversed()) {
    const { conversation_id: id, sender_id: sender, tenant_id: tenantId } = event
    if (id === null || sender === null) continue
    const known = told.get(id)
    if (!known) told.set(id, { tenantId, senders: [sender] })
    else if (known.senders.length < 2 && known.senders[0] !== sender) known.senders.push(sender)
  }
  const now = toIso(ctx.clock.now())
  const devices = await listMemberDevices(
    tx,
    [...told].map(([conversationId, { tenantId }]) => ({ tenantId, conversationId, now })),
  )
  const rows: QueuedPushRow[] = []
  for (const device of devices) {
    const { senders } = told.get(device.conversation_id) as Told
    const sender = senders.find((id) => id !== device.user_id)
    if (!sender || !isAway(device.user_id) || !channelOf(ctx, device)) continue
    rows.push(queued(ctx, device, device.conversation_id, sender))
  }
  return rows
}

function queued(
  ctx: Pick<Ctx, 'ids' | 'clock'>,
  device: PushDeviceRow,
  conversationId: string,
  senderId: string | null,
): QueuedPushRow {
  const at = ctx.clock.now()
  return {
    id: ctx.ids.next(),
    tenant_id: device.tenant_id,
    user_id: device.user_id,
    device_id: device.id,
    service: serviceOf(device),
    conversation_id: conversationId,
    sender_id: senderId,
    created_at: toIso(at),
    expires_at: toIso(at + MESSAGE_AGE),
    attempts: 0,
    next_attempt_at: toIso(at),
  }
}

/** In encrypted conversations the sender is unknown, so the sender's own other devices are woken as well. */
async function wakeUpsFor(
  ctx: Needs,
  tx: Tx,
  events: readonly LatestEvent[],
  isAway: IsAway,
): Promise<QueuedPushRow[]> {
  const convoIds = new Set(events.filter(isEncryptedMessage).map((event) => event.audience_id))
  if (convoIds.size === 0) return []
  const devices = await listConvoDevices(tx, [...convoIds])
  return devices
    .filter((device) => isAway(device.user_id) && channelOf(ctx, device))
    .map((device) => queued(ctx, device, device.convo_id, null))
}
