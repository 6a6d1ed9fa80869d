import { isEpochMismatch, isRefusal, MlsError } from '../errors.ts'
import { catchUp, isActive, isNotMember } from './catch-up.ts'
import { makeExternalCommit } from './external-commit.ts'
import { type HistoryEntry, historyChange } from './history.ts'
import { joinByWelcome } from './join.ts'
import { makeCommit } from './make-commit.ts'
import type { Place } from './place.ts'
import { endMembership } from './read-log.ts'
import { type Attempt, changesBetween, type Snapshot } from './record.ts'

/** Commits lost in a row after which a change is given up. */
const TRIES = 40

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

/**
 * Brings what a group has on record to its end: a request that may or may not have arrived, and an
 * intent. Every request is stored before it is sent and carries an idempotency key, so this may be
 * called again after any crash, at any point. An intent that meets another's commit is framed anew
 * in the new epoch. Throws what the service refuses, `too-many-conflicts`, or the transport's error,
 * after which the record stays as it is.
 */
export async function pursue(held: Held): Promise<void> {
  for (let lost = 0; lost < TRIES; lost += 1) {
    const { attempt } = held.snapshot.record
    if (attempt === undefined || attempt.kind === 'commit') await follow(held)
    if (held.snapshot.record.attempt === undefined) {
      const { intent } = held.snapshot.record
      if (!intent || !isActive(held.snapshot)) return
      const made = await makeCommit(held.place, held.snapshot, intent)
      if (!made) return dropIntent(held)
      await keep(held, made)
    }
    if ((await send(held)) && !held.snapshot.record.intent) return
  }
  await dropIntent(held)
  throw new MlsError('too-many-conflicts', 'Others’ commits came first, time after time.')
}

/** Reads the log; a device that is out of step comes back by an external commit. */
export async function follow(held: Held): Promise<void> {
  try {
    await catchUp(held.place, held.snapshot, (snapshot) => {
      held.snapshot = snapshot
    })
  } catch (error) {
    if (!isOutOfStep(error)) throw error
    await rejoin(held, held.snapshot.record.convoId)
  }
}

/**
 * Comes back into a group: by a Welcome, if somebody has added this device again, else by an external
 * commit, which is made anew while others' commits come first.
 */
export async function rejoin(held: Held, convoId: string): Promise<void> {
  const welcomed = await joinByWelcome(held.place, convoId, held.snapshot)
  if (welcomed) {
    held.snapshot = welcomed
    return
  }
  for (let lost = 0; lost < TRIES; lost += 1) {
    await keep(held, await makeExternalCommit(held.place, convoId, held.snapshot))
    if (await send(held)) return
  }
  throw new MlsError('too-many-conflicts', 'The group moved on faster than this device could join.')
}

/** Sends the attempt on record. False: it came too late and is off the record. */
async function send(held: Held): Promise<boolean> {
  const { attempt } = held.snapshot.record
  if (!attempt) return true
  try {
    await deliver[attempt.kind](held, attempt)
    return true
  } catch (error) {
    if (isEpochMismatch(error)) return giveWay(held, attempt)
    if (isNotMember(error)) await keep(held, endMembership(held.snapshot, 'removed'))
    else if (isRefusal(error)) await dropIntent(held)
    throw error
  }
}

const deliver: Record<Attempt['kind'], (held: Held, attempt: Attempt) => Promise<void>> = {
  async create(held, attempt) {
    const { convoId, suite } = held.snapshot.record
    const { groupInfo = '', name } = attempt.request as { groupInfo?: string; name?: string }
    const { idempotencyKey } = attempt
    await held.place.service.createConversation({ convoId, suite, groupInfo, name, idempotencyKey })
    await keep(held, withoutAttempt(held.snapshot))
  },

  async commit(held, attempt) {
    const { convoId } = held.snapshot.record
    const { commit, welcome, groupInfo, welcomedDids, welcomedRefs } = attempt.request as {
      commit: string
      welcome?: string
      groupInfo: string
      welcomedDids: readonly string[]
      welcomedRefs: readonly string[]
    }
    const welcomed = welcomedRefs.map((ref, at) => ({ ref, did: welcomedDids[at] ?? '' }))
    const { idempotencyKey } = attempt
    await held.place.service.commit({
      convoId,
      commit,
      welcome,
      welcomed,
      groupInfo,
      idempotencyKey,
    })
    // The log brings it back, behind what was stored before it; only there it takes effect.
    await follow(held)
    if (held.snapshot.record.attempt) {
      throw new MlsError('out-of-step', 'The service took a commit that its log does not hold.')
    }
  },

  async external(held, attempt) {
    const { record, next } = held.snapshot
    const { convoId, cursor } = record
    const { commit, groupInfo } = attempt.request as { commit: string; groupInfo: string }
    const { idempotencyKey } = attempt
    const request = { convoId, commit, groupInfo, idempotencyKey }
    const seq = await held.place.service.commitExternally(request)
    const after: Snapshot = {
      record: { ...record, cursor: seq, attempt: undefined },
      state: next,
      next: undefined,
    }
    const entry: HistoryEntry = { kind: 'joined', seq, epoch: attempt.epoch + 1, after: cursor }
    const changes = changesBetween(held.snapshot, after)
    await held.place.store.write([...changes, historyChange(convoId, entry)])
    held.snapshot = after
    held.place.notice(convoId, entry)
  },

  async leave(held, attempt) {
    const { convoId } = held.snapshot.record
    const { proposals } = attempt.request as { proposals: readonly string[] }
    const { idempotencyKey } = attempt
    await held.place.service.leave({ convoId, proposals, idempotencyKey })
    await keep(held, endMembership(held.snapshot, 'left'))
  },
}

async function giveWay(held: Held, attempt: Attempt): Promise<false> {
  if (attempt.kind === 'commit') {
    await follow(held)
    // Nobody's commit is there to give way to: service and device do not mean the same group.
    if (held.snapshot.record.attempt?.idempotencyKey === attempt.idempotencyKey) {
      await rejoin(held, held.snapshot.record.convoId)
    }
  } else {
    await keep(held, withoutAttempt(held.snapshot))
  }
  return false
}

async function dropIntent(held: Held): Promise<void> {
  const { record } = withoutAttempt(held.snapshot)
  await keep(held, { ...held.snapshot, record: { ...record, intent: undefined }, next: undefined })
}

function withoutAttempt(snapshot: Snapshot): Snapshot {
  return { ...snapshot, record: { ...snapshot.record, attempt: undefined } }
}

function isOutOfStep(error: unknown): boolean {
  if (error instanceof MlsError) return error.code === 'out-of-step'
  return isRefusal(error) && (error.status === 410 || error.error === 'CursorExpired')
}
