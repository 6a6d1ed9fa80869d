import type { Db } from '../../db/database.ts'
import { AppError } from '../../platform/errors.ts'
import { mlsErrors } from './errors.ts'
import type { Convo } from './store.ts'
import { findCommitAfter } from './store-messages.ts'

/**
 * Refuses a commit of another epoch than the current one. The first of many to hold the conversation
 * moves the epoch on, so of any number of concurrent ones exactly one gets past here.
 */
export async function requireEpoch(db: Db, convo: Convo, epoch: number): Promise<void> {
  if (epoch === convo.epoch) return
  const missed = epoch < convo.epoch ? await findCommitAfter(db, convo.id, epoch) : undefined
  throw new AppError(mlsErrors.epochMismatch, {
    currentEpoch: convo.epoch,
    lastSeq: convo.last_seq,
    // What is to be given to getMessages: the missed commit comes next.
    sinceSeq: missed === undefined ? convo.floor_seq : missed - 1,
  })
}
