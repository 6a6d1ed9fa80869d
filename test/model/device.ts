import type { HubConnectionBuilder } from '@microsoft/signalr'
import { HubClient, type Received } from '../harness/hub.ts'
import type { Person } from '../harness/people.ts'

export interface SeenMessage {
  content: string
  /** `user emoji` */
  reactions: Set<string>
}

/** Undefined means that no event has told it: a client reads it once, with the conversation. */
export interface SeenConversation {
  name: string | null | undefined
  timerSeconds: number | null | undefined
  muted: true | string | null | undefined
  /** By id; deleted messages are absent. */
  readonly messages: Map<string, SeenMessage>
  readonly pins: Set<string>
  /** Times of the last read and the last delivery by person. */
  readonly reads: Map<string, string>
  readonly deliveries: Map<string, string>
}

type Configure = (builder: HubConnectionBuilder) => HubConnectionBuilder

/**
 * A typical client: it catches up with Resume, holds back live events meanwhile, and applies events
 * idempotently.
 */
export class Device {
  readonly person: Person
  readonly conversations = new Map<string, SeenConversation>()
  readonly #url: string
  readonly #configure: Configure
  #cursor: string
  #hub: HubClient | undefined
  #applied = 0

  /** Starts at the cursor, with these conversations already known. */
  constructor(
    person: Person,
    url: string,
    cursor: string,
    known: readonly string[],
    configure: Configure,
  ) {
    this.person = person
    this.#url = url
    this.#cursor = cursor
    this.#configure = configure
    for (const id of known) this.#begin(id)
  }

  get connected(): boolean {
    return this.#hub !== undefined
  }

  async connect(): Promise<void> {
    const { accessToken } = this.person
    const hub = await new HubClient(this.#url, accessToken, this.#configure).start()
    this.#hub = hub
    this.#applied = 0
    for (let hasMore = true; hasMore; ) {
      const page = await hub.invoke('Resume', this.#cursor)
      for (const { type, data } of page.events) this.#apply({ name: type, data })
      this.#cursor = page.cursor
      hasMore = page.hasMore
    }
    this.applyLive()
  }

  /** Applies events received since the last call. */
  applyLive(): void {
    const received = this.#hub?.received ?? []
    for (; this.#applied < received.length; this.#applied++) {
      this.#apply(received[this.#applied] as Received)
    }
  }

  /** Disconnects; keeps what it received live, but its cursor stays that of the last Resume. */
  async drop(): Promise<void> {
    this.applyLive()
    await this.#hub?.stop()
    this.#hub = undefined
  }

  #apply({ name, data }: Received): void {
    if (name === 'ConversationCreated') {
      if (!this.conversations.has(data.id)) this.#begin(data.id).name = data.name
      return
    }
    const own = data.member?.userId === this.person.id
    const known = this.conversations.get(data.conversationId)
    if (name === 'ConversationMemberAdded' && own && !known) this.#begin(data.conversationId)
    else if (known) this.#change(known, { name, data })
  }

  #change(seen: SeenConversation, { name, data }: Received): void {
    const message = seen.messages.get(data.messageId)
    switch (name) {
      case 'ConversationMemberAdded':
        note(seen.reads, data.member.userId, data.member.lastReadAt)
        note(seen.deliveries, data.member.userId, data.member.lastDeliveredAt)
        break
      case 'ConversationMemberRemoved':
        seen.reads.delete(data.userId)
        seen.deliveries.delete(data.userId)
        if (data.userId === this.person.id) this.conversations.delete(data.conversationId)
        break
      case 'ConversationRenamed':
        seen.name = data.name
        break
      case 'ConversationSettingsChanged':
        if ('muted' in data) seen.muted = data.muted
        if ('timerSeconds' in data) seen.timerSeconds = data.timerSeconds
        break
      case 'ConversationRead':
        note(seen.reads, data.userId, data.lastReadAt)
        break
      case 'ConversationDelivered':
        note(seen.deliveries, data.userId, data.lastDeliveredAt)
        break
      case 'MessageReceived':
        if (data.deletedAt) break
        seen.messages.set(data.id, {
          content: data.content,
          reactions: reactionsOf(data),
        })
        break
      case 'MessageEdited':
        if (message) message.content = data.content
        break
      case 'MessageDeleted':
        seen.messages.delete(data.messageId)
        seen.pins.delete(data.messageId)
        break
      case 'ReactionChanged':
        if (data.added) message?.reactions.add(`${data.userId} ${data.emoji}`)
        else message?.reactions.delete(`${data.userId} ${data.emoji}`)
        break
      case 'MessagePinned':
        if (message) seen.pins.add(data.messageId)
        break
      case 'MessageUnpinned':
        seen.pins.delete(data.messageId)
        break
    }
  }

  #begin(id: string): SeenConversation {
    const seen: SeenConversation = {
      name: undefined,
      timerSeconds: undefined,
      muted: undefined,
      messages: new Map(),
      pins: new Set(),
      reads: new Map(),
      deliveries: new Map(),
    }
    this.conversations.set(id, seen)
    return seen
  }
}

function note(times: Map<string, string>, userId: string, at: string | null | undefined): void {
  if (at) times.set(userId, at)
}

/** Who reacted with what to a message in wire format. */
export function reactionsOf(message: {
  reactions?: { emoji: string; userIds: string[] }[]
}): Set<string> {
  const pairs = message.reactions ?? []
  return new Set(pairs.flatMap(({ emoji, userIds }) => userIds.map((user) => `${user} ${emoji}`)))
}
