import type { ClientState } from 'ts-mls'
import { type Bytes, fromUtf8, utf8 } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { decodeState, encodeState } from '../mls/config.ts'
import type { SuiteName } from '../mls/suites.ts'
import type { Change, Store } from '../stores/store.ts'
import type { HandedOut, Intent } from './intent.ts'

/**
 * `active`, or how the membership ended: `removed` by another member, `left` by this person. After the
 * end the history stays readable, but the keys are gone.
 */
export type GroupStatus = 'active' | 'removed' | 'left'

/** The common part of all requests, which are recorded before they are sent. */
interface Requested {
  /** Makes the request repeatable: the service returns its first response again. */
  readonly idempotencyKey: string
  /** The epoch in which it was framed. */
  readonly epoch: number
}

export interface CreateAttempt extends Requested {
  readonly kind: 'create'
  readonly groupInfo: string
  readonly name: string | undefined
}

/** A member's commit; bytes are base64, as in the other attempts. */
export interface CommitAttempt extends Requested {
  readonly kind: 'commit'
  readonly commit: string
  readonly groupInfo: string
  readonly welcome: string | undefined
  /** The key packages that the Welcome is for. */
  readonly welcomed: readonly Pick<HandedOut, 'did' | 'ref'>[]
  /** The member whom the commit removes, if it was made for that. */
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

/** A request that is recorded before it is sent. */
export type Attempt = CreateAttempt | CommitAttempt | ExternalAttempt | LeaveAttempt

export interface GroupRecord {
  readonly convoId: string
  readonly suite: SuiteName
  readonly status: GroupStatus
  /** The sequence number of the last log entry that this device has read. */
  readonly cursor: number
  /** The epoch in which this device joined; it cannot read earlier ones. */
  readonly joinedEpoch: number
  /** Signature keys (hex) of devices to remove: their owner left, or the device or account was deleted. */
  readonly leavers: readonly string[]
  /** The change that this device wants to make, until it is done, unnecessary or refused. */
  readonly intent?: Intent | undefined
  readonly attempt?: Attempt | undefined
}

/** Everything a device holds of a group; never mutated, only replaced. */
export interface Snapshot {
  readonly record: GroupRecord
  /** Undefined after the membership has ended, or if the stored keys are damaged. */
  readonly state: ClientState | undefined
  /** The state that applies if the attempt's commit wins. */
  readonly next: ClientState | undefined
}

const RECORD = /^group\/([^/]+)\/record$/

export async function listGroups(store: Store): Promise<string[]> {
  const keys = await store.keys('group/')
  return keys.flatMap((key) => RECORD.exec(key)?.[1] ?? [])
}

/**
 * Returns undefined if the group does not exist or its record is damaged. If its keys are damaged, the
 * snapshot has no state and no attempt made with them, so that `sync` joins the group again.
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

/** The decoded value; undefined if it does not exist or is unreadable. */
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

/** The store changes that turn one snapshot into the other. */
export function changesBetween(before: Snapshot | undefined, after: Snapshot): Change[] {
  const place = `group/${after.record.convoId}`
  const changes: Change[] = [[`${place}/record`, utf8(JSON.stringify(after.record))]]
  for (const part of ['state', 'next'] as const) {
    const state = after[part]
    if (state !== before?.[part]) changes.push([`${place}/${part}`, state && encodeState(state)])
  }
  return changes
}
