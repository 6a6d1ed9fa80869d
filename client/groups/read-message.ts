import { type ClientState, emptyPskIndex, type PrivateMessage, processPrivateMessage } from 'ts-mls'
import { decryptSenderData } from 'ts-mls/privateMessage.js'
import { type Bytes, fromUtf8, toHex } from '../bytes.ts'
import { keyOf } from '../device/identity.ts'
import { MlsError } from '../errors.ts'
import { leafAt } from '../mls/credential.ts'
import { suite } from '../mls/suites.ts'
import type { DeviceOf } from './history.ts'
import { dropOutgoing, type Envelope, findOutgoing, toHistory } from './outbox.ts'
import type { Place } from './place.ts'
import type { Reading } from './read-log.ts'
import type { Snapshot } from './record.ts'

/** Opens an application message from the log, possibly of a past epoch. */
export async function readMessage(
  place: Place,
  snapshot: Snapshot & { state: ClientState },
  message: PrivateMessage,
  seq: number,
  bytes: Bytes,
): Promise<Reading> {
  const { convoId, joinedEpoch } = snapshot.record
  const epoch = Number(message.epoch)
  // The sender had not seen yet that this device joined.
  if (epoch < joinedEpoch) return { snapshot }
  if (message.epoch > snapshot.state.groupContext.epoch) {
    throw new MlsError('out-of-step', `A message of epoch ${epoch} came before its commit.`)
  }
  const id = idOf(message)
  const own = await findOutgoing(place.store, convoId, id, bytes)
  if (own) {
    const from = { did: place.identity.did, device: keyOf(place.identity) }
    return {
      snapshot,
      entry: toHistory(own, seq, epoch, from),
      changes: [dropOutgoing(convoId, id)],
    }
  }
  const opened = await open(snapshot, message).catch(() => undefined)
  // An unreadable message must not stop those after it.
  if (!opened) return { snapshot, entry: { kind: 'unreadable', seq, epoch } }
  const { state, from, envelope } = opened
  return { snapshot: { ...snapshot, state }, entry: toHistory(envelope, seq, epoch, from) }
}

async function open(snapshot: Snapshot & { state: ClientState }, message: PrivateMessage) {
  const cs = await suite(snapshot.record.suite)
  const from = await senderOf(snapshot, message)
  const result = await processPrivateMessage(snapshot.state, message, emptyPskIndex, cs)
  if (result.kind !== 'applicationMessage') {
    throw new MlsError('unreadable', 'Commits and proposals travel in the open here.')
  }
  const envelope = JSON.parse(fromUtf8(result.message)) as Envelope
  if (envelope.id !== idOf(message) || typeof envelope.content !== 'object') {
    throw new MlsError('unreadable', 'The message is not what its outside says.')
  }
  return { state: result.newState, from, envelope }
}

/** The sender in the message's epoch (RFC 9420 §6.3.2); `processPrivateMessage` verifies the signature. */
async function senderOf(
  { state, record }: Snapshot & { state: ClientState },
  message: PrivateMessage,
): Promise<DeviceOf> {
  const past = state.historicalReceiverData.get(message.epoch)
  const isPresent = message.epoch === state.groupContext.epoch
  const secret = isPresent ? state.keySchedule.senderDataSecret : past?.senderDataSecret
  const tree = isPresent ? state.ratchetTree : past?.ratchetTree
  if (!secret || !tree) throw new MlsError('unreadable', 'The keys of that epoch are gone.')
  const data = await decryptSenderData(message, secret, await suite(record.suite))
  const leaf = data && leafAt(tree, data.leafIndex)
  if (!leaf) throw new MlsError('unreadable', 'The message names no sender.')
  return { did: leaf.did, device: toHex(leaf.node.signaturePublicKey) }
}

function idOf(message: PrivateMessage): string {
  return new TextDecoder().decode(message.authenticatedData)
}
