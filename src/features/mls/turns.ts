import type { Database } from '../../db/database.ts'
import { createTurns, type Turns } from '../../platform/turns.ts'

const turns = new WeakMap<Database, Turns>()

/**
 * Commits of one conversation, one after another: each would wait for the conversation's lock anyway,
 * but with a connection of the store in its hand that others need. Across nodes the lock decides.
 */
export function inTurn<T>(db: Database, convoId: string, work: () => Promise<T>): Promise<T> {
  let ofStore = turns.get(db)
  if (!ofStore) {
    ofStore = createTurns()
    turns.set(db, ofStore)
  }
  return ofStore.run(convoId, work)
}
