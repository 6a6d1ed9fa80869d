import { fromBase64 } from '../bytes.ts'
import { isEpochMismatch, isRefusal, MlsError } from '../errors.ts'
import { isActive } from './catch-up.ts'
import type { Held } from './held.ts'
import { dropOutgoing, keepOutgoing, listOutgoing, type Outgoing, sealMessage } from './outbox.ts'
import { follow } from './pursue.ts'
import { changesBetween } from './record.ts'

/** Epochs that may pass while one message looks for its way. */
const TRIES = 40

/**
 * Sends what is in the outbox, in its order. A message that the service does not take any more in
 * its epoch is sealed anew; one that may have arrived is repeated byte by byte. `accepted` are those
 * that the service has for certain and that only have to come back in the log. Resolves to whether it
 * sent any.
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
      // An earlier sealing of it, whose answer was lost, has arrived after all.
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

/** The message in the present epoch; undefined if it turns out to be in the log already. */
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
  // The key counts as spent before the ciphertext leaves: no crash can make it be used again.
  await place.store.write([...changesBetween(snapshot, after), keepOutgoing(convoId, outgoing)])
  held.snapshot = after
  return outgoing
}
