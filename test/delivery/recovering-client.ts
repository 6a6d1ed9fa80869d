import { setImmediate } from 'node:timers/promises'
import { type HubConnectionBuilder, HubConnectionState } from '@microsoft/signalr'
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack'
import { eventually } from '../harness/eventually.ts'
import { HubClient, type Received } from '../harness/hub.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'
import { TcpProxy } from '../harness/tcp-proxy.ts'

/** How a device of the test connects. */
export interface Way {
  readonly protocol: 'JSON' | 'MessagePack'
  readonly stateful: boolean
}

/** Comes back at once, and again after each failure. */
const AGAIN_MS = 20

/**
 * A device as one would write it, on the official client behind a proxy. With stateful reconnect it
 * leaves everything to that. Without, it asks with `Resume` for what it missed once it is back, holds
 * what the hub says meanwhile, and leaves out what it had heard before the connection was lost.
 */
export class RecoveringClient implements AsyncDisposable {
  readonly way: Way
  /** What the device knows of, each once, in the order in which it learned it. */
  readonly known = new Map<string, Received>()
  /** Keys of what the hub said live, over all connections, and of what the pages brought. */
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
   * Loses its connection. With stateful reconnect resolves once it is carried on: the official client
   * tries that once, and a cut that hits the attempt ends it, as it should.
   */
  async cut(): Promise<void> {
    this.#proxy.drop()
    if (this.way.stateful) await this.#hub.invoke('Resume')
  }

  /**
   * Sends until it is told that the message is stored. Stateful reconnect needs no second try; a
   * client without it cannot know whether the first one arrived, and says so by its id.
   */
  async say(conversationId: string, content: string): Promise<void> {
    for (;;) {
      try {
        const options = { clientMessageId: content }
        await this.#hub.invoke('SendMessage', conversationId, content, options)
        return
      } catch (error) {
        if (this.way.stateful) throw error
        // The socket may be closed before the client has been told.
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
      // Lost again: the next reconnect goes on at the cursor, and the held events are in its pages.
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

/** The same for an event heard live and read from a page; undefined for what is no row. */
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
