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

/** A change is given up after losing this many commits in a row. */
const TRIES = 40

/**
 * Completes what a group has on record: a request that may or may not have arrived, and an intent. Every
 * request is stored before it is sent and carries an idempotency key, so this can be repeated after a
 * crash at any point. If another member's commit comes first, the intent is framed again in the new
 * epoch. Throws the service's refusal, `too-many-conflicts`, or the transport's error, after which the
 * record stays as it is.
 */
export async function pursue(held: Held): Promise<void> {
  for (let lost = 0; lost < TRIES; lost += 1) {
    const { attempt, convoId } = held.snapshot.record
    if (attempt === undefined || attempt.kind === 'commit') await follow(held)
    if (attempt?.kind === 'external') await rejoin(held, convoId)
    if (held.snapshot.record.attempt === undefined) {
      const { intent } = held.snapshot.record
      if (!intent || !isActive(held.snapshot)) return
      // A commit that cannot be made now, for example because of an invalid key package, never can be.
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

/** Reads the log; a device that is out of step rejoins. */
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
 * Joins the group again: by a Welcome if a member has added this device again, otherwise by an external
 * commit, which is made again while others' commits come first.
 */
export async function rejoin(held: Held, convoId: string): Promise<void> {
  // A recorded external commit may have arrived already.
  if (held.snapshot.record.attempt?.kind === 'external' && (await send(held))) return
  const isWelcomed = await joinByWelcome(held.place, convoId, held.snapshot, (snapshot) => {
    held.snapshot = snapshot
  })
  if (isWelcomed) return
  for (let lost = 0; lost < TRIES; lost += 1) {
    await keep(held, await makeExternalCommit(held.place, convoId, held.snapshot))
    if (await send(held)) return
  }
  throw new MlsError('too-many-conflicts', 'The group moved on faster than this device could join.')
}

/** Sends the recorded attempt. Returns false if its epoch has passed and it was dropped. */
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
    // No other commit has come first: the service's state of the group differs from the device's.
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
 * Every member may commit these intents, so the refusal must be due to the leavers that the commit
 * removes. They are dropped, lest an outdated one block every other change; the next sync fetches them.
 */
function leaversAfterRefusal({ intent, leavers }: GroupRecord): readonly string[] {
  return intent?.type === 'settle' || intent?.type === 'update' ? [] : leavers
}

function isOutOfStep(error: unknown): boolean {
  if (error instanceof MlsError) return error.code === 'out-of-step'
  return isRefusal(error) && (error.status === 410 || error.error === 'CursorExpired')
}
