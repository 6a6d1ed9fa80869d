import assert from 'node:assert/strict'
import { type HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr'
import { EVENT_NAMES, SIGNAL_NAMES } from '../../src/events/names.ts'
import { eventually } from './eventually.ts'

export interface Received {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the event.
  readonly data: any
}

/** One device on the hub through the official SignalR client; records every event it receives. */
export class HubClient {
  readonly connection: HubConnection
  readonly received: Received[] = []
  /** Called with each event as it comes. */
  onEvent: (event: Received) => void = () => {}
  closed = false

  /** `configure` sets further options of the client, such as its protocol. */
  constructor(
    base: string,
    token: string,
    configure: (builder: HubConnectionBuilder) => HubConnectionBuilder = (builder) => builder,
  ) {
    const builder = new HubConnectionBuilder()
      .withUrl(`${base}/hubs/dm`, { accessTokenFactory: () => token })
      .configureLogging(LogLevel.None)
    this.connection = configure(builder).build()
    // The official client drops events that have no handler.
    for (const name of [...EVENT_NAMES, ...SIGNAL_NAMES]) {
      this.connection.on(name, (data: unknown) => {
        const event = { name, data }
        this.received.push(event)
        this.onEvent(event)
      })
    }
    this.connection.onclose(() => {
      this.closed = true
    })
  }

  async start(): Promise<this> {
    await this.connection.start()
    return this
  }

  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the result.
  invoke(method: string, ...args: unknown[]): Promise<any> {
    return this.connection.invoke(method, ...args)
  }

  /** Asserts that the invocation is refused with the code, in the original server's wording. */
  async assertRefused(code: string, method: string, ...args: unknown[]): Promise<void> {
    await assert.rejects(this.invoke(method, ...args), (error: Error) => {
      assert.ok(error.message.endsWith(`HubException: ${code}`), error.message)
      return true
    })
  }

  all(name: string): Received['data'][] {
    return this.received.filter((event) => event.name === name).map((event) => event.data)
  }

  /** The first event with the name that matches; waits for it. */
  event(name: string, matches: (data: Received['data']) => boolean = () => true) {
    return eventually(() => this.all(name).find(matches), `${name} did not arrive`)
  }

  async stop(): Promise<void> {
    await this.connection.stop()
  }
}
