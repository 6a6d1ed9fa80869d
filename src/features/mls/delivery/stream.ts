import type { Ctx } from '../../../context.ts'
import { type EventPlace, isAfter } from '../../../db/engine.ts'
import { type EventLog, readEventLog } from '../../../events/store.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../../policy/actor.ts'
import { didsOf } from '../../atproto/service.ts'
import { syncErrors } from '../../sync/errors.ts'
import { isOutdated, readCursor, writeCursor } from '../../sync/service.ts'
import { requireMember } from '../access.ts'
import { mlsErrors } from '../errors.ts'
import { type Ephemeral, type MlsSubject, readSubject } from '../events.ts'
import { hasUnsettledEvents, listMlsEvents, type MlsEventRow } from '../store/events.ts'
import { findMember, listConvoIds } from '../store/members.ts'
import { listMessagesAt, listSizes } from '../store/messages.ts'
import { fitPage, viewMessage } from './read.ts'
import { createWaker } from './wake.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'config' | 'bus'>

/** An event as sent to the client; `type` is the name of a definition in the lexicon. */
export interface MlsStreamEvent {
  readonly type: string
  readonly body: object
}

interface Subscription {
  readonly convoId?: string
  readonly cursor?: string
}

const PAGE = 100
/** How long to wait before looking again for events held up by a running transaction of another node. */
const SETTLE_MS = 50

/**
 * Streams the events of the caller's conversations, or of one of them, from the cursor on: in order, with
 * none missing or repeated, because every event is read from its row and the bus only says when to look.
 * Without a cursor the stream begins with what is committed after this call resolves.
 */
export async function openStream(
  ctx: Needs,
  actor: Actor,
  input: Subscription,
): Promise<(aborted: AbortSignal) => AsyncIterable<MlsStreamEvent>> {
  const me = requireUser(actor)
  const { convoId } = input
  if (convoId !== undefined) await requireMember(ctx.db.read, me, convoId)
  const log = await readEventLog(ctx.db.read)
  const start = await startOf(ctx, input, log)
  return (aborted) =>
    streamEvents(ctx, me, { ...start, generation: log.generation, convoId }, aborted)
}

interface Start {
  readonly place: EventPlace
  readonly isOutdated: boolean
  readonly generation: string
  readonly convoId: string | undefined
}

async function* streamEvents(
  ctx: Needs,
  me: UserActor,
  { generation, convoId, ...start }: Start,
  aborted: AbortSignal,
): AsyncGenerator<MlsStreamEvent, void, undefined> {
  const { read, engine } = ctx.db
  let { place } = start
  if (start.isOutdated) yield { type: 'infoEvent', body: { info: 'OutdatedCursor' } }

  const known = new Set<string>()
  const waker = createWaker(ctx.bus, me.userId, known, aborted)
  try {
    // Read after subscribing to the bus, so that no joining in between is missed.
    const mine = convoId === undefined ? await listConvoIds(read, me.userId) : [convoId]
    for (const id of mine) known.add(id)
    while (!aborted.aborted) {
      // Checked first: if the membership is over, its last event is found below or is still unsettled.
      const isOver = convoId !== undefined && !(await takesPart(ctx, me, convoId))
      const rows = await listMlsEvents(read, engine, me, convoId, { place, limit: PAGE })
      const page = await fitEvents(ctx, rows)
      for (const { row, event } of await compose(ctx, me, page)) {
        if (aborted.aborted) return
        const cursor = writeCursor({ generation, place: row })
        place = { writer: row.writer, position: row.position }
        if (event) yield { type: event.type, body: { cursor, ...event.body } }
      }
      yield* tellEphemeral(waker.ephemeral())
      if (rows.length > 0) continue
      if (await hasUnsettledEvents(read, engine, me, convoId)) await pause(SETTLE_MS)
      else if (isOver) throw new AppError(mlsErrors.membershipEnded)
      else await waker.next()
    }
  } finally {
    waker.close()
  }
}

const pause = (milliseconds: number) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds).unref())

async function startOf(
  { db }: Needs,
  { cursor }: Subscription,
  log: EventLog,
): Promise<{ place: EventPlace; isOutdated: boolean }> {
  const newest = await db.engine.newestPlace()
  if (cursor === undefined) return { place: newest, isOutdated: false }
  const given = readOwnCursor(cursor)
  // Start at the oldest event; clients learn of what was deleted before it from messages and commits.
  if (isOutdated(given, log)) return { place: { writer: '0', position: 0 }, isOutdated: true }
  // Compared by place rather than time, because a clock may have stepped back.
  if (isAfter(given.place, newest)) throw new AppError(mlsErrors.futureCursor)
  return { place: given.place, isOutdated: false }
}

function readOwnCursor(cursor: string): ReturnType<typeof readCursor> {
  try {
    return readCursor(cursor)
  } catch (error) {
    const isUnreadable = error instanceof AppError && error.code === syncErrors.invalidCursor.code
    throw isUnreadable ? new AppError(mlsErrors.futureCursor, {}, { cause: error }) : error
  }
}

/** Whether the person is still a member of the stream's only conversation; otherwise the stream ends. */
async function takesPart(ctx: Needs, me: UserActor, convoId: string): Promise<boolean> {
  const member = await findMember(ctx.db.read, convoId, me.userId)
  return member?.left_at === null
}

const HAS_MESSAGE = new Set(['app', 'commit', 'proposal'])

/** The first events, as many as their messages fit into a page. */
async function fitEvents({ db }: Needs, rows: readonly MlsEventRow[]): Promise<MlsEventRow[]> {
  const places = rows.map((row) => ({
    convoId: row.audienceId,
    seq: readSubject(row.subjectId).seq,
  }))
  const withMessage = places.filter((_, index) =>
    HAS_MESSAGE.has(readSubject((rows[index] as MlsEventRow).subjectId).kind),
  )
  const sizes = new Map(
    (await listSizes(db.read, withMessage)).map((one) => [`${one.convo_id} ${one.seq}`, one.size]),
  )
  const measured = rows.map((row, index) => {
    const { convoId, seq } = places[index] as (typeof places)[number]
    return { row, seq, size: sizes.get(`${convoId} ${seq}`) ?? 0 }
  })
  return fitPage(measured, rows.length).map(({ row }) => row)
}

interface Composed {
  readonly row: MlsEventRow
  /** Undefined if the message was deleted or is from before the reader joined. */
  readonly event: MlsStreamEvent | undefined
}

async function compose(
  ctx: Needs,
  me: UserActor,
  rows: readonly MlsEventRow[],
): Promise<Composed[]> {
  const subjects = rows.map((row) => ({ row, subject: readSubject(row.subjectId) }))
  const wanted = subjects.filter(({ subject }) => HAS_MESSAGE.has(subject.kind))
  const messages = await listMessagesAt(
    ctx.db.read,
    wanted.map(({ row, subject }) => ({ convoId: row.audienceId, seq: subject.seq })),
  )
  const byPlace = new Map(messages.map((row) => [`${row.convo_id} ${row.seq}`, row]))
  const about = subjects.map(({ subject }) => subject.about).filter((id) => id !== '')
  const dids = await didsOf(ctx, ctx.db.read, me.tenantId, about)
  return subjects.map(({ row, subject }): Composed => {
    const message = byPlace.get(`${row.audienceId} ${subject.seq}`)
    if (!HAS_MESSAGE.has(subject.kind)) {
      return { row, event: tell(row, subject, dids) }
    }
    const isTheirs = message !== undefined && subject.seq > row.joinedSeq
    const body = isTheirs ? { message: viewMessage(message) } : {}
    return { row, event: isTheirs ? { type: 'messageEvent', body } : undefined }
  })
}

function tell(
  { audienceId: convoId }: MlsEventRow,
  { kind, seq, about, more }: MlsSubject,
  dids: ReadonlyMap<string, string>,
): MlsStreamEvent {
  const did = dids.get(about)
  switch (kind) {
    case 'joined':
    case 'left':
    case 'removed':
      return { type: 'membershipEvent', body: { convoId, did, action: kind, seq } }
    case 'welcome':
      return { type: 'welcomeEvent', body: { convoId: more, deviceId: about } }
    case 'report':
      return { type: 'changeEvent', body: { convoId: more, what: kind } }
    case 'keyPackages':
      return { type: 'keyPackagesEvent', body: { deviceId: about, available: Number(more) } }
    default:
      return { type: 'changeEvent', body: { convoId, what: kind, ...(did ? { did } : {}) } }
  }
}

function* tellEphemeral(
  messages: readonly Ephemeral[],
): Generator<MlsStreamEvent, void, undefined> {
  for (const { convoId, epoch, ciphertext } of messages) {
    const bytes = new Uint8Array(Buffer.from(ciphertext, 'base64'))
    yield { type: 'ephemeralEvent', body: { convoId, epoch, ciphertext: bytes } }
  }
}
