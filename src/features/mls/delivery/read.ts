import type { Ctx } from '../../../context.ts'
import type { MlsMessageRow } from '../../../db/tables.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser } from '../../../policy/actor.ts'
import { type Membership, requireMember } from '../access.ts'
import { mlsErrors } from '../errors.ts'
import type { GetCommits, GetMessages } from '../schema.ts'
import {
  findMessage,
  listCommitPlaces,
  listMessagesAt,
  listPlaces,
  type MessagePlace,
} from '../store/messages.ts'

type Needs = Pick<Ctx, 'db'>

/** The maximum size of a page, unless its first message alone is larger. */
const PAGE_BYTES = 8 * 1024 * 1024
const MAX_COMMITS = 100

export function viewMessage(row: MlsMessageRow) {
  return {
    id: row.id,
    convoId: row.convo_id,
    ciphertext: new Uint8Array(row.body),
    epoch: row.epoch,
    seq: row.seq,
    createdAt: row.created_at,
    messageType: row.kind,
  }
}

/** The longest prefix of `places` that fits into a page. */
export function fitPage<P extends MessagePlace>(places: readonly P[], limit: number): P[] {
  const page: P[] = []
  let bytes = 0
  for (const place of places.slice(0, limit)) {
    bytes += place.size
    if (page.length > 0 && bytes > PAGE_BYTES) break
    page.push(place)
  }
  return page
}

/** Messages, commits and proposals after a place, in order, but none from before the member joined. */
export async function getMessages(ctx: Needs, actor: Actor, input: GetMessages) {
  const me = requireUser(actor)
  const { read } = ctx.db
  const membership = await requireMember(read, me, input.convoId)
  const { convo, member } = membership
  const since = await placeOf(ctx, membership, input)
  const after = Math.max(since, member.joined_seq)
  if (after < convo.floor_seq)
    throw new AppError(mlsErrors.cursorExpired, { floorSeq: convo.floor_seq })
  const kinds = kindsOf(input.type)
  const places = await listPlaces(read, convo.id, after, kinds, input.limit + 1)
  const page = fitPage(places, input.limit)
  const rows = await listMessagesAt(
    read,
    page.map(({ seq }) => ({ convoId: convo.id, seq })),
  )
  const hasMore = page.length < places.length
  return {
    messages: rows.map(viewMessage),
    lastSeq: rows.at(-1)?.seq ?? after,
    hasMore,
    currentEpoch: convo.epoch,
  }
}

async function placeOf(
  { db }: Needs,
  { convo }: Membership,
  { sinceSeq, sinceMessage }: GetMessages,
): Promise<number> {
  if (sinceMessage === undefined) return sinceSeq ?? 0
  const message = await findMessage(db.read, convo.id, sinceMessage)
  if (!message) throw new AppError(mlsErrors.invalidCursor)
  return message.seq
}

function kindsOf(type: string | undefined): MlsMessageRow['kind'][] | undefined {
  if (type === 'app') return ['app']
  return type === 'commit' ? ['commit', 'proposal'] : undefined
}

/** The commits that began a range of epochs, in order. */
export async function getCommits(ctx: Needs, actor: Actor, input: GetCommits) {
  const me = requireUser(actor)
  const { read } = ctx.db
  const { convo, member } = await requireMember(read, me, input.convoId)
  const { fromEpoch: from, toEpoch: to = convo.epoch } = input
  if (to < from) throw new AppError(mlsErrors.invalidEpochRange)
  const range = { from: Math.max(from, member.joined_epoch), to }
  const places = await listCommitPlaces(read, convo.id, range, member.joined_seq, MAX_COMMITS + 1)
  const page = fitPage(places, MAX_COMMITS)
  const rows = await listMessagesAt(
    read,
    page.map(({ seq }) => ({ convoId: convo.id, seq })),
  )
  // The member joined with the commit that began `joined_epoch`, so only later ones are needed.
  const first = Math.max(from, member.joined_epoch + 1)
  if (first <= Math.min(to, convo.epoch) && rows[0]?.epoch !== first) {
    throw new AppError(mlsErrors.cursorExpired, { floorSeq: convo.floor_seq })
  }
  return {
    convoId: convo.id,
    commits: rows.map((row) => ({
      ...{ id: row.id, epoch: row.epoch, seq: row.seq, createdAt: row.created_at },
      commitData: new Uint8Array(row.body),
    })),
    hasMore: page.length < places.length,
  }
}
