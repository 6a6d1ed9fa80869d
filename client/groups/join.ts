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
 * Joins by the Welcome that waits for this device (RFC 9420 §12.4.3.1), if one does and tells of a
 * later epoch than the device has reached. Undefined if none does, or none that it can open.
 * The group is stored before the Welcome is confirmed, which the service then forgets.
 */
export async function joinByWelcome(
  place: Place,
  convoId: string,
  before: Snapshot | undefined,
): Promise<Snapshot | undefined> {
  const waiting = await place.service.getWelcome(convoId, place.deviceId).catch(noneWaits)
  if (!waiting) return undefined
  const own = await findKeyPackage(place.store, place.identity, waiting.ref)
  const state = own && (await open())
  if (!own || !state || toHex(state.groupContext.groupId) !== convoId) {
    // Opened before a crash, or made for keys that are gone: either way it is of no more use.
    await place.service.confirmWelcome(convoId, waiting.ref, before?.record.status === 'active')
    return undefined
  }
  const epoch = Number(state.groupContext.epoch)
  const isNews = !before?.state || epoch > Number(before.state.groupContext.epoch)
  // Removed and added again while it was away, the device still wants what it wanted.
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
      // Others may have been given the same last resort: the leaf gets keys of its own.
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
  // What somebody tried to say in an earlier membership, they were told had failed.
  const unsent = wasAway ? [] : await listOutgoing(place.store, convoId)
  changes.push(...unsent.map(({ id }) => dropOutgoing(convoId, id)))
  await place.store.write([...changes, ...spendKeyPackage(own)])
  await place.service.confirmWelcome(convoId, waiting.ref, true)
  if (isNews) place.notice(convoId, entry)
  return isNews ? after : undefined

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
