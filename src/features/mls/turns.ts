import type { Database } from '../../db/database.ts'
import { createTurns, type Turns } from '../../platform/turns.ts'

const turns = new WeakMap<Database, Turns>()

/**
 * Runs commits of one conversation one at a time. Each would wait for the conversation's lock anyway, but
 * while holding a database connection that others need. Across nodes, the lock decides.
 */
export function inTurn<T>(db: Database, convoId: string, work: () => Promise<T>): Promise<T> {
  let ofStore = turns.get(db)
  if (!ofStore) {
    ofStore = createTurns()
    turns.set(db, ofStore)
  }
  return ofStore.run(convoId, work)
}
