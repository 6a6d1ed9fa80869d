import { HubClient, type Received } from '../harness/hub.ts'
import type { Person } from '../harness/people.ts'

export interface SeenConversation {
  name: string | null
  /** Content by message id; a deleted message is gone. */
  readonly messages: Map<string, string>
  /** Time of the last reading by person. */
  readonly reads: Map<string, string>
}

/**
 * A client as one would write it: it catches up with Resume, holds live events back meanwhile, and
 * applies events so that one heard twice changes nothing.
 */
export class Device {
  readonly person: Person
  readonly conversations = new Map<string, SeenConversation>()
  readonly #url: string
  #cursor: string
  #hub: HubClient | undefined
  #applied = 0

  constructor(person: Person, url: string, cursor: string) {
    this.person = person
    this.#url = url
    this.#cursor = cursor
  }

  get connected(): boolean {
    return this.#hub !== undefined
  }

  async connect(): Promise<void> {
    const hub = await new HubClient(this.#url, this.person.accessToken).start()
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

  /** Applies what the hub said since the last call. */
  applyLive(): void {
    const received = this.#hub?.received ?? []
    for (; this.#applied < received.length; this.#applied++) {
      this.#apply(received[this.#applied] as Received)
    }
  }

  /** Goes away; what was heard live is kept, the cursor is still that of the last Resume. */
  async drop(): Promise<void> {
    this.applyLive()
    await this.#hub?.stop()
    this.#hub = undefined
  }

  #apply({ name, data }: Received): void {
    const conversation = this.conversations.get(data.conversationId ?? data.id)
    switch (name) {
      case 'ConversationCreated':
        if (!conversation) this.#begin(data.id, data.name)
        break
      case 'ConversationMemberAdded':
        if (data.member.userId === this.person.id && !conversation) {
          this.#begin(data.conversationId, null)
        } else if (data.member.lastReadAt) {
          conversation?.reads.set(data.member.userId, data.member.lastReadAt)
        }
        break
      case 'ConversationMemberRemoved':
        if (data.userId === this.person.id) this.conversations.delete(data.conversationId)
        else conversation?.reads.delete(data.userId)
        break
      case 'ConversationRenamed':
        if (conversation) conversation.name = data.name
        break
      case 'ConversationRead':
        conversation?.reads.set(data.userId, data.lastReadAt)
        break
      case 'MessageReceived':
        if (!data.deletedAt) conversation?.messages.set(data.id, data.content)
        break
      case 'MessageEdited':
        if (conversation?.messages.has(data.messageId)) {
          conversation.messages.set(data.messageId, data.content)
        }
        break
      case 'MessageDeleted':
        conversation?.messages.delete(data.messageId)
        break
    }
  }

  #begin(id: string, name: string | null): void {
    this.conversations.set(id, { name, messages: new Map(), reads: new Map() })
  }
}
