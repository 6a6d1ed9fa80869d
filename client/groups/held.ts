import type { Place } from './place.ts'
import { changesBetween, type Snapshot } from './record.ts'

/** A group's current snapshot, which operations read and replace. */
export interface Held {
  readonly place: Place
  snapshot: Snapshot
}

/** Stores a snapshot and then makes it the current one. */
export async function keep(held: Held, after: Snapshot): Promise<void> {
  await held.place.store.write(changesBetween(held.snapshot, after))
  held.snapshot = after
}

/** The snapshot without a recorded request. */
export function withoutAttempt(snapshot: Snapshot): Snapshot {
  return { ...snapshot, record: { ...snapshot.record, attempt: undefined } }
}
