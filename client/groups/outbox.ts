import { createApplicationMessage } from 'ts-mls'
import { type Bytes, fromUtf8, sha256, toBase64, toHex, utf8 } from '../bytes.ts'
import { encodePrivate } from '../mls/codec.ts'
import { clientConfig } from '../mls/config.ts'
import { padToBucket } from '../mls/padding.ts'
import { suite } from '../mls/suites.ts'
import type { Change, Store } from '../stores/store.ts'
import type { HistoryEntry, MessageContent } from './history.ts'
import type { Snapshot } from './record.ts'

/** The plaintext of a message; `id` is the msgId, which the service sees too. */
export interface Envelope {
  readonly id: string
  readonly sentAt: string
  readonly content: MessageContent
}

/** An unconfirmed message, kept until it comes back in the log: a sender cannot decrypt its own message. */
export interface Outgoing extends Envelope {
  readonly epoch: number
  readonly ciphertext: string
  /** SHA-256 (hex) of this and earlier ciphertexts, any of which may still arrive. */
  readonly hashes: readonly string[]
}

/** Seals a message for the current epoch (RFC 9420 §6.3); in the returned state its key is spent. */
export async function sealMessage(
  snapshot: Snapshot & { state: NonNullable<Snapshot['state']> },
  { hashes = [], ...message }: Envelope & { hashes?: readonly string[] },
): Promise<{ after: Snapshot; outgoing: Outgoing }> {
  const { state, record } = snapshot
  const { id, sentAt } = message
  const content = utf8(JSON.stringify({ id, sentAt, content: message.content }))
  const authenticated = utf8(id)
  const { groupId, epoch } = state.groupContext
  const { zeros } = padToBucket(content.length, authenticated.length, groupId.length)
  const { newState, privateMessage } = await createApplicationMessage(
    {
      ...state,
      // Pending proposals, which we may never commit, must not prevent sending.
      unappliedProposals: {},
      clientConfig: { ...clientConfig, paddingConfig: { kind: 'alwaysPad', paddingLength: zeros } },
    },
    content,
    await suite(record.suite),
    authenticated,
  )
  const { unappliedProposals } = state
  const bytes = encodePrivate(privateMessage)
  return {
    after: { ...snapshot, state: { ...newState, unappliedProposals, clientConfig } },
    outgoing: {
      id,
      sentAt,
      content: message.content,
      epoch: Number(epoch),
      ciphertext: toBase64(bytes),
      hashes: [...hashes, toHex(await sha256(bytes))],
    },
  }
}

function outboxKey(convoId: string, id: string): string {
  return `group/${convoId}/outbox/${id}`
}

export function keepOutgoing(convoId: string, outgoing: Outgoing): Change {
  return [outboxKey(convoId, outgoing.id), utf8(JSON.stringify(outgoing))]
}

export function dropOutgoing(convoId: string, id: string): Change {
  return [outboxKey(convoId, id), undefined]
}

/** All messages in the outbox, oldest first. */
export async function listOutgoing(store: Store, convoId: string): Promise<Outgoing[]> {
  const keys = await store.keys(outboxKey(convoId, ''))
  const values = await Promise.all(keys.map((key) => store.read(key)))
  return values.flatMap((value) => (value ? [JSON.parse(fromUtf8(value)) as Outgoing] : []))
}

/** The message in the outbox with exactly this ciphertext. */
export async function findOutgoing(
  store: Store,
  convoId: string,
  id: string,
  bytes: Bytes,
): Promise<Outgoing | undefined> {
  // The id may come from another member, so it is validated before it becomes part of a store key.
  if (!/^[0-9A-Z]{26}$/.test(id)) return undefined
  const value = await store.read(outboxKey(convoId, id))
  const outgoing = value && (JSON.parse(fromUtf8(value)) as Outgoing)
  return outgoing?.hashes.includes(toHex(await sha256(bytes))) ? outgoing : undefined
}

export function toHistory(
  envelope: Envelope,
  seq: number,
  epoch: number,
  from: { did: string; device: string },
): HistoryEntry {
  const { id, sentAt, content } = envelope
  return { kind: 'message', seq, epoch, id, sentAt, content, ...from }
}
