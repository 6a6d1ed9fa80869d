import type { ClientState } from 'ts-mls'
import { type Bytes, fromUtf8, utf8 } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { decodeState, encodeState } from '../mls/config.ts'
import type { SuiteName } from '../mls/suites.ts'
import type { Change, Store } from '../stores/store.ts'
import type { HandedOut, Intent } from './intent.ts'

/**
 * `active`, or the way it ended: `removed` by somebody, `left` by this person. What was read stays
 * readable; the keys are gone.
 */
export type GroupStatus = 'active' | 'removed' | 'left'

/** What all requests have in common that are on record before they are sent. */
interface Requested {
  /** With it a request may be repeated: the service answers as it did at first. */
  readonly idempotencyKey: string
  /** The epoch in which it was framed. */
  readonly epoch: number
}

export interface CreateAttempt extends Requested {
  readonly kind: 'create'
  readonly groupInfo: string
  readonly name: string | undefined
}

/** A member's commit; bytes in base64, as in the others. */
export interface CommitAttempt extends Requested {
  readonly kind: 'commit'
  readonly commit: string
  readonly groupInfo: string
  readonly welcome: string | undefined
  /** Whom the Welcome is for. */
  readonly welcomed: readonly Pick<HandedOut, 'did' | 'ref'>[]
  /** The member whose removal it is about. */
  readonly removedDid: string | undefined
}

export interface ExternalAttempt extends Requested {
  readonly kind: 'external'
  readonly commit: string
  readonly groupInfo: string
}

export interface LeaveAttempt extends Requested {
  readonly kind: 'leave'
  readonly proposals: readonly string[]
}

/** What this device wants of the service, on record before it asks. */
export type Attempt = CreateAttempt | CommitAttempt | ExternalAttempt | LeaveAttempt

export interface GroupRecord {
  readonly convoId: string
  readonly suite: SuiteName
  readonly status: GroupStatus
  /** The last entry of the group's log that this device has taken in. */
  readonly cursor: number
  /** The epoch in which this device joined: earlier ones are not for it. */
  readonly joinedEpoch: number
  /** Signature keys (hex) of devices whose person wants to leave and is not committed away yet. */
  readonly leavers: readonly string[]
  /** The change that this device wants to make, until it is made, pointless or refused. */
  readonly intent?: Intent | undefined
  readonly attempt?: Attempt | undefined
}

/** All that a device holds of a group; never changed, only replaced. */
export interface Snapshot {
  readonly record: GroupRecord
  /** None after the end of the membership. */
  readonly state: ClientState | undefined
  /** The state after the attempt's commit, if that one wins. */
  readonly next: ClientState | undefined
}

const RECORD = /^group\/([^/]+)\/record$/

export async function listGroups(store: Store): Promise<string[]> {
  const keys = await store.keys('group/')
  return keys.flatMap((key) => RECORD.exec(key)?.[1] ?? [])
}

/**
 * Undefined for a group that is not there, or whose record is damaged. One whose keys are damaged has
 * none, and nothing under way that was made with them: it is joined anew.
 */
export async function loadSnapshot(store: Store, convoId: string): Promise<Snapshot | undefined> {
  const place = `group/${convoId}`
  const record = await intact(store.read(`${place}/record`), toRecord)
  if (!record) return undefined
  const state = await intact(store.read(`${place}/state`), decodeState)
  const next = await intact(store.read(`${place}/next`), decodeState)
  const isDamaged = !state && record.status === 'active' && record.attempt?.kind !== 'external'
  return { record: isDamaged ? { ...record, attempt: undefined } : record, state, next }
}

function toRecord(bytes: Bytes): GroupRecord {
  return JSON.parse(fromUtf8(bytes)) as GroupRecord
}

/** What was stored, if it is there and can be read. */
async function intact<T>(
  stored: Promise<Bytes | undefined>,
  decode: (bytes: Bytes) => T,
): Promise<T | undefined> {
  try {
    const bytes = await stored
    return bytes && decode(bytes)
  } catch (error) {
    if (error instanceof MlsError && error.code === 'unreadable') return undefined
    throw error
  }
}

/** What has to be written to come from one snapshot to the other. */
export function changesBetween(before: Snapshot | undefined, after: Snapshot): Change[] {
  const place = `group/${after.record.convoId}`
  const changes: Change[] = [[`${place}/record`, utf8(JSON.stringify(after.record))]]
  for (const part of ['state', 'next'] as const) {
    const state = after[part]
    if (state !== before?.[part]) changes.push([`${place}/${part}`, state && encodeState(state)])
  }
  return changes
}
