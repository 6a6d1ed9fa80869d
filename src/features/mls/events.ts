import type { AppEvent } from '../../events/event.ts'
import type { MlsEvent } from './schema.ts'

/** The kinds of events; the first three refer to a stored message. */
export type MlsKind =
  | 'app'
  | 'commit'
  | 'proposal'
  | 'joined'
  | 'left'
  | 'removed'
  | 'role'
  | 'policy'
  | 'groupInfo'
  | 'report'
  | 'device'
  | 'welcome'
  | 'keyPackages'

/** The contents of an event row's `subject_id`. */
export interface MlsSubject {
  readonly kind: MlsKind
  readonly seq: number
  /** The id of the member or device that the event is about. */
  readonly about: string
  /** For `welcome` and `report` the conversation; for `keyPackages` how many are left. */
  readonly more: string
}

const NAME = 'MlsEvent'

export function writeSubject({ kind, seq, about, more }: MlsSubject): string {
  return [kind, seq, about, more].join(' ')
}

export function readSubject(text: string): MlsSubject {
  const [kind, seq, about = '', more = ''] = text.split(' ')
  return { kind: kind as MlsKind, seq: Number(seq), about, more }
}

/** What is relayed to connected members and not stored, such as a typing notice. */
export interface Ephemeral extends MlsEvent {
  readonly epoch: number
  /** In base64. */
  readonly ciphertext: string
}

export interface InConvo {
  readonly tenantId: string
  readonly convoId: string
  readonly seq: number
}

/** An event for all members of a conversation. */
export function convoEvent(
  { tenantId, convoId, seq }: InConvo,
  kind: MlsKind,
  about = '',
  changes: Pick<AppEvent, 'joins' | 'leaves'> = {},
): AppEvent {
  const payload: MlsEvent = { convoId, seq, kind }
  return {
    tenantId,
    audience: { kind: 'conversation', id: convoId },
    name: NAME,
    subjectId: writeSubject({ kind, seq, about, more: '' }),
    payload,
    ...changes,
  }
}

/** Tells a person's devices that a Welcome is waiting for one of them. */
export function welcomeEvent(
  { tenantId, convoId, seq }: InConvo,
  userId: string,
  deviceId: string,
): AppEvent {
  const payload: MlsEvent = { convoId, seq, kind: 'welcome' }
  return {
    tenantId,
    audience: { kind: 'user', id: userId },
    name: NAME,
    subjectId: writeSubject({ kind: 'welcome', seq, about: deviceId, more: convoId }),
    payload,
  }
}

/** Tells an admin of a new report; the other members, one of whom it is about, are not told. */
export function reportEvent({ tenantId, convoId, seq }: InConvo, adminId: string): AppEvent {
  const payload: MlsEvent = { convoId, seq, kind: 'report' }
  return {
    tenantId,
    audience: { kind: 'user', id: adminId },
    name: NAME,
    subjectId: writeSubject({ kind: 'report', seq, about: '', more: convoId }),
    payload,
  }
}

/** Tells a person's devices that one of them has few key packages left. */
export function keyPackagesEvent(
  tenantId: string,
  userId: string,
  { deviceId, available }: { readonly deviceId: string; readonly available: number },
): AppEvent {
  const payload: MlsEvent = { convoId: '', seq: 0, kind: 'keyPackages' }
  return {
    tenantId,
    audience: { kind: 'user', id: userId },
    name: NAME,
    subjectId: writeSubject({
      kind: 'keyPackages',
      seq: 0,
      about: deviceId,
      more: String(available),
    }),
    payload,
  }
}
