import { fromUtf8, utf8 } from '../bytes.ts'
import type { Json } from '../delivery/transport.ts'
import type { Change, Store } from '../stores/store.ts'
import type { Attachment } from './attachments.ts'

/** What people send each other. `data` is for whatever else an application has to say. */
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

/** An entry of a group's log as this device understood it, in the log's order. */
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
  /** Sent while this device was a member, and yet it cannot be opened. */
  | { readonly kind: 'unreadable'; readonly seq: number; readonly epoch: number }
  /** This device came in, or came back: it knows nothing of what was between `after` and `seq`. */
  | {
      readonly kind: 'joined'
      readonly seq: number
      readonly epoch: number
      readonly after: number
    }

/** The digits of the largest sequence number, so that keys sort like numbers. */
const DIGITS = 16

export function historyKey(convoId: string, seq: number): string {
  return `group/${convoId}/history/${String(seq).padStart(DIGITS, '0')}`
}

export function historyChange(convoId: string, entry: HistoryEntry): Change {
  return [historyKey(convoId, entry.seq), utf8(JSON.stringify(entry))]
}

/** Entries after `after`, at most `limit` of them, the oldest first. */
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
