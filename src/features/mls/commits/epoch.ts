import type { Db } from '../../../db/database.ts'
import { AppError } from '../../../platform/errors.ts'
import { mlsErrors } from '../errors.ts'
import type { Convo } from '../store/convos.ts'
import { findCommitAfter } from '../store/messages.ts'

/**
 * Throws `EpochMismatch` unless the epoch is the current one. The first of several concurrent commits to
 * lock the conversation advances the epoch, so exactly one of them passes.
 */
export async function requireEpoch(db: Db, convo: Convo, epoch: number): Promise<void> {
  if (epoch === convo.epoch) return
  const missed = epoch < convo.epoch ? await findCommitAfter(db, convo.id, epoch) : undefined
  throw new AppError(mlsErrors.epochMismatch, {
    currentEpoch: convo.epoch,
    lastSeq: convo.last_seq,
    // For getMessages: the first entry after it is the missed commit.
    sinceSeq: missed === undefined ? convo.floor_seq : missed - 1,
  })
}
