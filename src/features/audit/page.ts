import type { Db } from '../../db/database.ts'
import { type AuditLine, inOrder } from './lines.ts'
import { chainFrom } from './store.ts'
import { checkpointsFrom, newestPruning } from './store-checkpoints.ts'

/** A reader's position in the chain. */
export interface Place {
  readonly position: number
  readonly checkpoint: number
}

export interface Page {
  readonly lines: readonly AuditLine[]
  readonly events: number
  /** Where the next page begins. */
  readonly next: Place
}

/**
 * What a reader has not had yet. If the reader's position was pruned, the first line says so: it is signed,
 * so that a log with its beginning cut off cannot be passed off as a pruned one.
 */
export async function readPage(db: Db, after: Place, limit: number): Promise<Page> {
  const newest = await newestPruning(db)
  const pruning = newest && newest.chain_position > after.position ? newest : undefined
  const start = pruning?.chain_position ?? after.position
  const links = await chainFrom(db, start, limit)
  const position = links.at(-1)?.position ?? start
  const marks = await checkpointsFrom(db, after.checkpoint, limit, position)
  return {
    lines: inOrder(links, marks, pruning),
    events: links.length,
    next: { position, checkpoint: marks.at(-1)?.sequence ?? after.checkpoint },
  }
}
