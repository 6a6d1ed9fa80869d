import assert from 'node:assert/strict'
import { type HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr'
import { eventually } from './eventually.ts'

/** Every event the server can send; the official client drops those that nobody listens to. */
const EVENTS = [
  'MessageReceived',
  'MessageEdited',
  'MessageDeleted',
  'ConversationRead',
  'ConversationDelivered',
  'ConversationSettingsChanged',
  'ReactionChanged',
  'MessagePinned',
  'MessageUnpinned',
  'ConversationCreated',
  'ConversationMemberAdded',
  'ConversationMemberRemoved',
  'ConversationMemberRoleChanged',
  'ConversationRenamed',
  'Typing',
  'PresenceChanged',
  'IncomingCall',
  'CallAnswered',
  'IceCandidate',
  'CallRejected',
  'CallEnded',
  'CallMissed',
  'FriendRequestReceived',
  'FriendRequestAccepted',
  'SessionRevoked',
  'MlsEvent',
]

export interface Received {
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects in an event.
  readonly data: any
}

/** One device on the hub, by the official SignalR client, with everything it has heard. */
export class HubClient {
  readonly connection: HubConnection
  readonly received: Received[] = []
  closed = false

  /** `configure` chooses what else the client can do. */
  constructor(
    base: string,
    token: string,
    configure: (builder: HubConnectionBuilder) => HubConnectionBuilder = (builder) => builder,
  ) {
    const builder = new HubConnectionBuilder()
      .withUrl(`${base}/hubs/dm`, { accessTokenFactory: () => token })
      .configureLogging(LogLevel.None)
    this.connection = configure(builder).build()
    for (const name of EVENTS) {
      this.connection.on(name, (data: unknown) => void this.received.push({ name, data }))
    }
    this.connection.onclose(() => {
      this.closed = true
    })
  }

  async start(): Promise<this> {
    await this.connection.start()
    return this
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects in a result.
  invoke(method: string, ...args: unknown[]): Promise<any> {
    return this.connection.invoke(method, ...args)
  }

  /** Asserts that the invocation is refused with the code, in the words of the original server. */
  async assertRefused(code: string, method: string, ...args: unknown[]): Promise<void> {
    await assert.rejects(this.invoke(method, ...args), (error: Error) => {
      assert.ok(error.message.endsWith(`HubException: ${code}`), error.message)
      return true
    })
  }

  all(name: string): Received['data'][] {
    return this.received.filter((event) => event.name === name).map((event) => event.data)
  }

  /** The first event with the name that matches, now or soon. */
  event(name: string, matches: (data: Received['data']) => boolean = () => true) {
    return eventually(() => this.all(name).find(matches), `${name} did not arrive`)
  }

  async stop(): Promise<void> {
    await this.connection.stop()
  }
}
