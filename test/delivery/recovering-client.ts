import { setImmediate } from 'node:timers/promises'
import { type HubConnectionBuilder, HubConnectionState } from '@microsoft/signalr'
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack'
import { eventually } from '../harness/eventually.ts'
import { HubClient, type Received } from '../harness/hub.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'
import { TcpProxy } from '../harness/tcp-proxy.ts'

/** How a device connects in the test. */
export interface Way {
  readonly protocol: 'JSON' | 'MessagePack'
  readonly stateful: boolean
}

/** Delay before reconnecting, also after each failed attempt. */
const AGAIN_MS = 20

/**
 * A typical device on the official client behind a proxy. With stateful reconnect it leaves recovery to
 * the client. Without, it calls `Resume` after reconnecting, holds back live events meanwhile, and skips
 * events it had already received.
 */
export class RecoveringClient implements AsyncDisposable {
  readonly way: Way
  /** Every event the device knows, once each, in the order it learned them. */
  readonly known = new Map<string, Received>()
  /** Keys of live events over all connections, and of events from Resume pages. */
  readonly live: string[] = []
  readonly resumed: string[] = []
  reconnects = 0
  readonly #proxy: TcpProxy
  readonly #hub: HubClient
  #cursor: string
  #held: Received[] | undefined

  private constructor(person: Person, proxy: TcpProxy, way: Way, cursor: string) {
    this.way = way
    this.#proxy = proxy
    this.#cursor = cursor
    this.#hub = new HubClient(proxy.url.replace(/\/$/, ''), person.accessToken, (builder) =>
      configure(builder, way),
    )
    this.#hub.onEvent = (event) => this.#hear(event)
    this.#hub.connection.onreconnecting(() => {
      this.#held = []
    })
    this.#hub.connection.onreconnected(() => {
      this.reconnects += 1
      void this.#catchUp()
    })
  }

  static async connect(url: string, person: Person, way: Way): Promise<RecoveringClient> {
    const { cursor } = assertDone(await person.rest.get('/api/sync'))
    const proxy = await new TcpProxy(url).start()
    const client = new RecoveringClient(person, proxy, way, cursor)
    await client.#hub.start()
    return client
  }

  get name(): string {
    return `${this.way.protocol}, ${this.way.stateful ? 'stateful' : 'anew'}`
  }

  get closed(): boolean {
    return this.#hub.closed
  }

  /**
   * Cuts the connection. With stateful reconnect, resolves once the connection has resumed: the official
   * client tries only once, and a cut during that attempt rightly ends the connection.
   */
  async cut(): Promise<void> {
    this.#proxy.drop()
    if (this.way.stateful) await this.#hub.invoke('Resume')
  }

  /**
   * Sends until the message is confirmed as stored. Stateful reconnect needs no second try; without it, a
   * client cannot know whether the first arrived, so it sends the same id again.
   */
  async say(conversationId: string, content: string): Promise<void> {
    for (;;) {
      try {
        const options = { clientMessageId: content }
        await this.#hub.invoke('SendMessage', conversationId, content, options)
        return
      } catch (error) {
        if (this.way.stateful) throw error
        // The socket may close before the client notices.
        await setImmediate()
        const { connection } = this.#hub
        await eventually(
          () => connection.state === HubConnectionState.Connected,
          `${this.name} did not come back`,
        )
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hub.stop()
    await this.#proxy.cut()
  }

  #hear(event: Received): void {
    const key = keyOf(event)
    if (key === undefined) return
    this.live.push(key)
    if (this.#held) this.#held.push(event)
    else this.#learn(key, event)
  }

  async #catchUp(): Promise<void> {
    try {
      for (let hasMore = true; hasMore; ) {
        const page = await this.#hub.invoke('Resume', this.#cursor)
        for (const { type, data, seq } of page.events) {
          const key = keyOf({ name: type, data })
          if (key === undefined) continue
          this.resumed.push(`${key} ${seq}`)
          this.#learn(key, { name: type, data })
        }
        this.#cursor = page.cursor
        hasMore = page.hasMore
      }
    } catch {
      // Cut again: the next reconnect resumes at the cursor, and its pages contain the held events.
      return
    }
    for (const event of this.#held ?? []) this.#learn(keyOf(event) as string, event)
    this.#held = undefined
  }

  #learn(key: string, event: Received): void {
    if (!this.known.has(key)) this.known.set(key, event)
  }
}

function configure(builder: HubConnectionBuilder, { protocol, stateful }: Way) {
  if (protocol === 'MessagePack') builder.withHubProtocol(new MessagePackHubProtocol())
  return stateful
    ? builder.withStatefulReconnect()
    : builder.withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => AGAIN_MS })
}

/** The same key for an event heard live or read from a page; undefined if it has no row. */
export function keyOf({ name, data }: Received): string | undefined {
  switch (name) {
    case 'MessageReceived':
      return `${name} ${data.id}`
    case 'MessageEdited':
    case 'MessageDeleted':
      return `${name} ${data.messageId}`
    case 'ReactionChanged':
      return `${name} ${data.messageId} ${data.emoji} ${data.added}`
    default:
      return undefined
  }
}
