import type { ClientState } from 'ts-mls'
import { isEpochMismatch, isRefusal, MlsError } from '../errors.ts'
import { catchUp, isActive, isNotMember } from './catch-up.ts'
import { deliver } from './deliver.ts'
import { makeExternalCommit } from './external-commit.ts'
import { type Held, keep, withoutAttempt } from './held.ts'
import type { Intent } from './intent.ts'
import { joinByWelcome } from './join.ts'
import { makeCommit } from './make-commit.ts'
import { makeLeave } from './make-leave.ts'
import type { Place } from './place.ts'
import { endMembership } from './read-log.ts'
import type { Attempt, GroupRecord, Snapshot } from './record.ts'

/** Commits lost in a row after which a change is given up. */
const TRIES = 40

/**
 * Brings what a group has on record to its end: a request that may or may not have arrived, and an
 * intent. Every request is stored before it is sent and carries an idempotency key, so this may be
 * called again after any crash, at any point. An intent that meets another's commit is framed anew
 * in the new epoch. Throws what the service refuses, `too-many-conflicts`, or the transport's error,
 * after which the record stays as it is.
 */
export async function pursue(held: Held): Promise<void> {
  for (let lost = 0; lost < TRIES; lost += 1) {
    const { attempt, convoId } = held.snapshot.record
    if (attempt === undefined || attempt.kind === 'commit') await follow(held)
    if (attempt?.kind === 'external') await rejoin(held, convoId)
    if (held.snapshot.record.attempt === undefined) {
      const { intent } = held.snapshot.record
      if (!intent || !isActive(held.snapshot)) return
      // What cannot be made now, of a key package that is not valid, never can be.
      const made = await makeAttempt(held.place, held.snapshot, intent).catch(async (error) => {
        await dropIntent(held)
        throw error
      })
      if (!made) return dropIntent(held)
      await keep(held, made)
    }
    if ((await send(held)) && !held.snapshot.record.intent) return
  }
  await dropIntent(held)
  throw new MlsError('too-many-conflicts', 'Others’ commits came first, time after time.')
}

function makeAttempt(
  place: Place,
  snapshot: Snapshot & { state: ClientState },
  intent: Intent,
): Promise<Snapshot | undefined> {
  if (intent.type === 'leave') return makeLeave(place, snapshot)
  return makeCommit(place, snapshot, intent)
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
  // One that is on record may have arrived.
  if (held.snapshot.record.attempt?.kind === 'external' && (await send(held))) return
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
    await deliver(held, attempt)
    if (attempt.kind === 'commit') await readOwn(held, attempt)
    return true
  } catch (error) {
    if (isEpochMismatch(error)) return giveWay(held, attempt)
    if (isNotMember(error)) await keep(held, endMembership(held.snapshot, 'removed'))
    else if (isRefusal(error)) {
      await dropIntent(held, { leavers: leaversAfterRefusal(held.snapshot.record) })
    }
    throw error
  }
}

async function readOwn(held: Held, { idempotencyKey }: Attempt): Promise<void> {
  await follow(held)
  if (held.snapshot.record.attempt?.idempotencyKey === idempotencyKey) {
    throw new MlsError('out-of-step', 'The service took a commit that its log does not hold.')
  }
}

async function giveWay(held: Held, attempt: Attempt): Promise<false> {
  if (attempt.kind === 'commit') {
    await follow(held)
    // Nobody's commit is there to give way to: service and device do not mean the same group.
    if (held.snapshot.record.attempt?.idempotencyKey === attempt.idempotencyKey) {
      await rejoin(held, held.snapshot.record.convoId)
    }
  } else {
    await keep(held, { ...withoutAttempt(held.snapshot), next: undefined })
  }
  return false
}

async function dropIntent(
  held: Held,
  { leavers }: Pick<GroupRecord, 'leavers'> = held.snapshot.record,
): Promise<void> {
  const { record } = withoutAttempt(held.snapshot)
  const after = { ...record, leavers, intent: undefined }
  await keep(held, { ...held.snapshot, record: after, next: undefined })
}

/**
 * What everybody may commit can only have been refused for the leavers whose removal it carries: one
 * who is no leaver any more must not hold up every other change. The next sync learns who is.
 */
function leaversAfterRefusal({ intent, leavers }: GroupRecord): readonly string[] {
  return intent?.type === 'settle' || intent?.type === 'update' ? [] : leavers
}

function isOutOfStep(error: unknown): boolean {
  if (error instanceof MlsError) return error.code === 'out-of-step'
  return isRefusal(error) && (error.status === 410 || error.error === 'CursorExpired')
}
