import type { Place } from './place.ts'
import { changesBetween, type Snapshot } from './record.ts'

/** A group between its store and the service: the one who reads and writes its snapshot. */
export interface Held {
  readonly place: Place
  snapshot: Snapshot
}

/** Stores a snapshot, and only then makes it the group's. */
export async function keep(held: Held, after: Snapshot): Promise<void> {
  await held.place.store.write(changesBetween(held.snapshot, after))
  held.snapshot = after
}

/** The snapshot with nothing on record that is still to be sent. */
export function withoutAttempt(snapshot: Snapshot): Snapshot {
  return { ...snapshot, record: { ...snapshot.record, attempt: undefined } }
}
