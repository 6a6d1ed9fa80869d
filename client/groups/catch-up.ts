import type { ClientState } from 'ts-mls'
import { MlsError, ServiceError } from '../errors.ts'
import type { Change } from '../stores/store.ts'
import { type HistoryEntry, historyChange } from './history.ts'
import type { Place } from './place.ts'
import { endMembership, readEntry } from './read-log.ts'
import { changesBetween, type Snapshot } from './record.ts'

/**
 * Reads the log after the cursor. Each page is stored in one write, with the state it led to, before its
 * entries are reported: after a crash in between it is simply read again. `keep` is called with each
 * stored snapshot. Throws the errors of `readEntry` and of the transport.
 */
export async function catchUp(
  place: Place,
  before: Snapshot,
  keep: (snapshot: Snapshot) => void,
): Promise<Snapshot> {
  let stored = before
  let behind = 0
  for (let hasMore = true; hasMore && isActive(stored); ) {
    const page = await readPage(place, stored)
    if (page.snapshot !== stored) {
      await place.store.write([...changesBetween(stored, page.snapshot), ...page.changes])
      stored = page.snapshot
      keep(stored)
      for (const entry of page.entries) place.notice(stored.record.convoId, entry)
    }
    if (page.failure) throw page.failure
    hasMore = page.hasMore
    if (hasMore || !isActive(stored) || page.epoch <= stored.state.groupContext.epoch) continue
    // A commit may have arrived meanwhile. If the log still has none, it begins after this device's
    // state: the device was removed and added again.
    behind += 1
    if (behind > LATE) throw new MlsError('out-of-step', 'The log does not lead to its epoch.')
    hasMore = true
  }
  return stored
}

/** How often a log may end before the group's epoch until it counts as not leading there. */
const LATE = 3

interface Page {
  readonly snapshot: Snapshot
  readonly entries: readonly HistoryEntry[]
  readonly changes: readonly Change[]
  readonly hasMore: boolean
  /** The group's current epoch at the service. */
  readonly epoch: number
  /** Why the page was not read to its end; the entries before the failure still count. */
  readonly failure?: unknown
}

async function readPage(place: Place, before: Snapshot): Promise<Page> {
  const { convoId, cursor } = before.record
  const page = await place.service.getLog(convoId, cursor).catch((error: unknown) => {
    if (isNotMember(error)) return undefined
    throw error
  })
  if (!page) return only(endMembership(before, 'removed'))
  const { currentEpoch } = page
  let snapshot = before
  const entries: HistoryEntry[] = []
  const changes: Change[] = []
  for (const each of page.entries) {
    if (!isActive(snapshot)) break
    try {
      const reading = await readEntry(place, snapshot, each)
      snapshot = reading.snapshot
      if (reading.entry) entries.push(reading.entry)
      changes.push(...(reading.changes ?? []))
    } catch (failure) {
      return { ...done(), hasMore: false, failure }
    }
  }
  return { ...done(), hasMore: page.hasMore }

  function done() {
    const history = entries.map((entry) => historyChange(convoId, entry))
    return { snapshot, entries, changes: [...changes, ...history], epoch: currentEpoch }
  }
}

function only(snapshot: Snapshot): Page {
  return { snapshot, entries: [], changes: [], hasMore: false, epoch: 0 }
}

export function isActive(
  snapshot: Snapshot,
): snapshot is Snapshot & { readonly state: ClientState } {
  return snapshot.record.status === 'active' && snapshot.state !== undefined
}

/** Whether the service answered that this person is not in the conversation. */
export function isNotMember(error: unknown): boolean {
  return (
    error instanceof ServiceError &&
    (error.error === 'NotMember' || error.error === 'ConvoNotFound')
  )
}
