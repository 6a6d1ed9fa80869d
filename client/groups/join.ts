import { toHex } from '../bytes.ts'
import { findKeyPackage, spendKeyPackage } from '../device/key-packages.ts'
import { ServiceError } from '../errors.ts'
import { decodeWelcome } from '../mls/codec.ts'
import { joinByWelcomeMessage } from '../mls/join-by-welcome.ts'
import { suite } from '../mls/suites.ts'
import { type HistoryEntry, historyChange } from './history.ts'
import { dropOutgoing, listOutgoing } from './outbox.ts'
import type { Place } from './place.ts'
import { changesBetween, type Snapshot } from './record.ts'

/**
 * Joins by the Welcome waiting for this device (RFC 9420 §12.4.3.1). Resolves to false if there is none,
 * if it cannot be opened, or if its epoch is not later than the device's own. The group is stored, and `keep`
 * called with it, before the Welcome is confirmed, because the service then deletes it.
 */
export async function joinByWelcome(
  place: Place,
  convoId: string,
  before: Snapshot | undefined,
  keep: (snapshot: Snapshot) => void,
): Promise<boolean> {
  const waiting = await place.service.getWelcome(convoId, place.deviceId).catch(noneWaits)
  if (!waiting) return false
  const own = await findKeyPackage(place.store, place.identity, waiting.ref)
  const state = own && (await open())
  if (!own || !state || toHex(state.groupContext.groupId) !== convoId) {
    // Opened before a crash, or made for keys that are gone: either way it is useless now.
    await place.service.confirmWelcome(convoId, waiting.ref, before?.record.status === 'active')
    return false
  }
  const epoch = Number(state.groupContext.epoch)
  const isNews = !before?.state || epoch > Number(before.state.groupContext.epoch)
  // If the device was removed and added again while it was offline, its pending intent still stands.
  const wasAway = before?.record.status === 'active'
  const intended = wasAway ? before.record.intent : undefined
  const after: Snapshot = {
    record: {
      convoId,
      suite: own.suite,
      status: 'active',
      cursor: waiting.joinedSeq,
      joinedEpoch: epoch,
      leavers: [],
      // A last resort may have been used for several Welcomes, so the leaf gets fresh keys.
      intent: intended ?? (own.lastResort ? { type: 'update' } : undefined),
    },
    state,
    next: undefined,
  }
  const entry: HistoryEntry = {
    kind: 'joined',
    seq: waiting.joinedSeq,
    epoch,
    after: before?.record.cursor ?? 0,
  }
  const changes = isNews ? [...changesBetween(before, after), historyChange(convoId, entry)] : []
  // Unsent messages of an earlier membership were already reported as failed.
  const unsent = wasAway ? [] : await listOutgoing(place.store, convoId)
  changes.push(...unsent.map(({ id }) => dropOutgoing(convoId, id)))
  await place.store.write([...changes, ...spendKeyPackage(own)])
  if (isNews) {
    keep(after)
    place.notice(convoId, entry)
  }
  await place.service.confirmWelcome(convoId, waiting.ref, true)
  return isNews

  async function open() {
    if (!own || !waiting) return undefined
    try {
      const welcome = decodeWelcome(waiting.welcome)
      const { publicPackage, privatePackage } = own
      const cs = await suite(own.suite)
      return await joinByWelcomeMessage(welcome, publicPackage, privatePackage, cs)
    } catch {
      return undefined
    }
  }
}

function noneWaits(error: unknown): undefined {
  if (error instanceof ServiceError && error.error === 'WelcomeNotFound') return undefined
  throw error
}
