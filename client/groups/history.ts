import { fromUtf8, utf8 } from '../bytes.ts'
import type { Json } from '../delivery/transport.ts'
import type { Change, Store } from '../stores/store.ts'
import type { Attachment } from './attachments.ts'

/** The content of a message. `data` is free for the application's use. */
export interface MessageContent {
  readonly text?: string
  readonly attachments?: readonly Attachment[]
  readonly data?: Json
}

export interface DeviceOf {
  readonly did: string
  /** The device's signature key, hex. */
  readonly device: string
}

/** A log entry as this device understood it. */
export type HistoryEntry =
  | ({
      readonly kind: 'message'
      readonly seq: number
      readonly epoch: number
      readonly id: string
      /** By the sender's clock, ISO 8601. */
      readonly sentAt: string
      readonly content: MessageContent
    } & DeviceOf)
  | {
      readonly kind: 'change'
      readonly seq: number
      /** The epoch that begins with it. */
      readonly epoch: number
      readonly by: DeviceOf | undefined
      readonly added: readonly DeviceOf[]
      readonly removed: readonly DeviceOf[]
    }
  /** An entry of this device's membership that it could not open. */
  | { readonly kind: 'unreadable'; readonly seq: number; readonly epoch: number }
  /** This device joined or came back: it cannot read the entries between `after` and `seq`. */
  | {
      readonly kind: 'joined'
      readonly seq: number
      readonly epoch: number
      readonly after: number
    }

/** Sequence numbers are padded to this many digits, so that keys sort numerically. */
const DIGITS = 16

export function historyKey(convoId: string, seq: number): string {
  return `group/${convoId}/history/${String(seq).padStart(DIGITS, '0')}`
}

export function historyChange(convoId: string, entry: HistoryEntry): Change {
  return [historyKey(convoId, entry.seq), utf8(JSON.stringify(entry))]
}

/** At most `limit` entries with a sequence number greater than `after`, oldest first. */
export async function readHistory(
  store: Store,
  convoId: string,
  { after = 0, limit = 100 } = {},
): Promise<HistoryEntry[]> {
  const keys = await store.keys(`group/${convoId}/history/`)
  const first = historyKey(convoId, after)
  const wanted = keys.filter((key) => key > first).slice(0, limit)
  const values = await Promise.all(wanted.map((key) => store.read(key)))
  return values.flatMap((value) => (value ? [JSON.parse(fromUtf8(value)) as HistoryEntry] : []))
}
