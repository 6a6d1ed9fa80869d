import type { Ctx } from '../../../context.ts'
import type { Db, Tx } from '../../../db/database.ts'
import { appendEvents } from '../../../events/append.ts'
import { SECOND, toIso } from '../../../platform/clock.ts'
import { AppError } from '../../../platform/errors.ts'
import { type Actor, requireUser, type UserActor } from '../../../policy/actor.ts'
import { type Membership, requireMember } from '../access.ts'
import { changeConvo } from '../change.ts'
import { requireEpoch } from '../commits/epoch.ts'
import { mlsErrors } from '../errors.ts'
import { convoEvent, type Ephemeral } from '../events.ts'
import type { SendMessage } from '../schema.ts'
import type { Convo } from '../store/convos.ts'
import { advanceSeq, findMessage, insertMessage } from '../store/messages.ts'
import { readPrivateMessage } from '../wire/reading.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus'>

const MAX_BYTES = 10 * 1024 * 1024
const SMALL_BUCKETS = new Set([512, 1024, 2048, 4096])
const LARGE_BUCKET = 8192
/** Messages of this many epochs are accepted, the current one included: members keep keys for as many. */
const OLD_EPOCHS = 4
/** A ULID or a UUID. */
const MESSAGE_ID = /^([0-9A-Za-z]{26}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$/

export interface Sent {
  readonly messageId: string
  readonly receivedAt: string
  readonly seq: number
  readonly epoch: number
}

/**
 * Stores an application message for the members, or relays an ephemeral one. The server checks that the
 * caller is a member, but it cannot read the content or the sender inside the ciphertext. A repeat is
 * recognised by the stored message: an answer kept for the sender would tell who it was.
 */
export async function sendMessage(
  ctx: Needs,
  actor: Actor,
  input: SendMessage,
  bodyHash: string,
): Promise<Sent> {
  const me = requireUser(actor)
  if (input.delivery === 'ephemeral') return sendEphemeral(ctx, me, input)
  try {
    return await changeConvo(ctx, me, {
      ...{ method: 'sendMessage', key: input.idempotencyKey, bodyHash, convoId: input.convoId },
      read: (convo) => requireWellFormed(convo, input),
      write: (tx, membership, body) => store(ctx, tx, membership, input, body),
    })
  } catch (error) {
    // Like any repeat, it gets the first answer even if the caller has left.
    const isRefused = error instanceof AppError && error.code === mlsErrors.notMember.code
    const first = isRefused ? await findSent(ctx.db.read, input) : undefined
    if (first === undefined) throw error
    return first
  }
}

/** The answer to a message that is stored already. Throws `IdempotencyConflict` if its id is another's. */
async function findSent(
  db: Db,
  { convoId, msgId, ciphertext }: SendMessage,
): Promise<Sent | undefined> {
  const known = await findMessage(db, convoId, msgId)
  if (!known) return undefined
  if (known.kind !== 'app' || !known.body.equals(ciphertext)) {
    throw new AppError(mlsErrors.idempotencyConflict)
  }
  return sent(msgId, Date.parse(known.created_at), known.seq, known.epoch)
}

async function store(
  ctx: Needs,
  tx: Tx,
  { convo, member }: Membership,
  input: SendMessage,
  body: Buffer,
): Promise<Sent> {
  const first = await findSent(tx, input)
  if (first) return first
  const { id: convoId, tenant_id: tenantId } = convo
  const { msgId, epoch } = input
  await requireRecentEpoch(tx, convo, epoch, member.joined_epoch)
  const at = ctx.clock.now()
  const seq = convo.last_seq + 1
  await insertMessage(tx, {
    ...{ convo_id: convoId, seq, id: msgId, tenant_id: tenantId, kind: 'app' as const },
    ...{ epoch, size: body.length, body, created_at: toIso(at) },
  })
  await advanceSeq(tx, convoId, seq, toIso(at))
  await appendEvents(ctx, tx, [convoEvent({ tenantId, convoId, seq }, 'app')])
  return sent(msgId, at, seq, epoch)
}

/** The time is rounded down to 2 seconds, so that it reveals less about the order of senders. */
function sent(messageId: string, at: number, seq: number, epoch: number): Sent {
  return { messageId, receivedAt: toIso(at - (at % (2 * SECOND))), seq, epoch }
}

/**
 * Accepts messages of recent epochs, which members can still open. Throws `EpochMismatch` for a future
 * epoch, and for one before the last removal, because the removed person has its keys.
 */
async function requireRecentEpoch(
  tx: Tx,
  convo: Convo,
  epoch: number,
  joinedEpoch: number,
): Promise<void> {
  const oldest = Math.max(convo.epoch - OLD_EPOCHS + 1, convo.removal_epoch, joinedEpoch)
  const isRecent = epoch >= oldest
  if (epoch <= convo.epoch && isRecent) return
  await requireEpoch(tx, convo, epoch)
}

async function requireWellFormed(convo: Convo, input: SendMessage): Promise<Buffer> {
  const body = Buffer.from(input.ciphertext)
  if (body.length > MAX_BYTES) throw new AppError(mlsErrors.messageTooLarge)
  const { paddedSize } = input
  const isBucket = SMALL_BUCKETS.has(paddedSize) || paddedSize % LARGE_BUCKET === 0
  if (!isBucket || body.length !== paddedSize) throw new AppError(mlsErrors.invalidPadding)
  const facts = readPrivateMessage(body)
  const isOfConvo = facts?.groupId === convo.id && facts.contentType === 'application'
  if (!isOfConvo || facts.epoch !== input.epoch || !MESSAGE_ID.test(input.msgId)) {
    throw new AppError(mlsErrors.invalidMessage)
  }
  return body
}

/** Relays a typing notice or the like to connected members without storing it. */
async function sendEphemeral(ctx: Needs, me: UserActor, input: SendMessage): Promise<Sent> {
  const { convo } = await requireMember(ctx.db.read, me, input.convoId)
  const body = await requireWellFormed(convo, input)
  if (input.epoch !== convo.epoch) {
    throw new AppError(mlsErrors.epochMismatch, {
      ...{ currentEpoch: convo.epoch, lastSeq: convo.last_seq, sinceSeq: convo.last_seq },
    })
  }
  const { id: convoId, epoch } = convo
  const ciphertext = body.toString('base64')
  const payload: Ephemeral = { convoId, seq: 0, kind: 'ephemeral', epoch, ciphertext }
  ctx.bus.signal({
    audience: { kind: 'conversation', id: convoId },
    name: 'MlsEvent',
    payload,
  })
  return sent(input.msgId, ctx.clock.now(), 0, epoch)
}
