import { fromBase64 } from '../bytes.ts'
import { isEpochMismatch, isRefusal, MlsError } from '../errors.ts'
import { isActive } from './catch-up.ts'
import type { Held } from './held.ts'
import { dropOutgoing, keepOutgoing, listOutgoing, type Outgoing, sealMessage } from './outbox.ts'
import { follow } from './pursue.ts'
import { changesBetween } from './record.ts'

/** How many times one message is sealed again because the epoch has changed. */
const TRIES = 40

/**
 * Sends the messages in the outbox in order. A message whose epoch the service no longer accepts is
 * sealed again; one that may have arrived is repeated byte for byte. `accepted` holds the ids of messages
 * that the service has and that only have to come back in the log. Resolves to whether any was sent.
 */
export async function flush(held: Held, accepted: Set<string>): Promise<boolean> {
  const { convoId } = held.snapshot.record
  let hasSent = false
  for (const outgoing of await listOutgoing(held.place.store, convoId)) {
    if (accepted.has(outgoing.id)) continue
    await sendOne(held, outgoing)
    accepted.add(outgoing.id)
    hasSent = true
  }
  return hasSent
}

async function sendOne(held: Held, first: Outgoing): Promise<void> {
  const { place } = held
  const { convoId } = held.snapshot.record
  let outgoing: Outgoing | undefined = first
  for (let tries = 0; outgoing; tries += 1) {
    if (tries > TRIES) {
      throw new MlsError(
        'too-many-conflicts',
        'The group moved on faster than a message could be sent.',
      )
    }
    const { id: msgId, epoch } = outgoing
    try {
      const ciphertext = fromBase64(outgoing.ciphertext)
      await place.service.sendMessage({ convoId, msgId, ciphertext, epoch })
      return
    } catch (error) {
      // An earlier ciphertext of this message, whose response was lost, has arrived after all.
      if (isRefusal(error) && error.error === 'IdempotencyConflict') return
      if (isEpochMismatch(error)) {
        outgoing = await sealAgain(held, msgId)
      } else {
        if (isRefusal(error)) await place.store.write([dropOutgoing(convoId, msgId)])
        throw error
      }
    }
  }
}

/** Seals the message for the current epoch; undefined if it turns out to be in the log already. */
async function sealAgain(held: Held, id: string): Promise<Outgoing | undefined> {
  const { place } = held
  const { convoId } = held.snapshot.record
  await follow(held)
  const waiting = (await listOutgoing(place.store, convoId)).find((each) => each.id === id)
  const { snapshot } = held
  if (!waiting) return undefined
  if (!isActive(snapshot)) {
    await place.store.write([dropOutgoing(convoId, id)])
    throw new MlsError('not-a-member', 'The membership ended before the message was sent.')
  }
  const { after, outgoing } = await sealMessage(snapshot, waiting)
  // Storing the spent key before the ciphertext is sent ensures that no crash can reuse it.
  await place.store.write([...changesBetween(snapshot, after), keepOutgoing(convoId, outgoing)])
  held.snapshot = after
  return outgoing
}
