import type { Ctx } from '../context.ts'
import type { Subscriber } from '../events/bus.ts'
import type { AppEvent, Disconnect, Signal } from '../events/event.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { Origin, UserActor } from '../policy/actor.ts'
import type { SocketHandler } from '../runtime/runtime.ts'
import type { ConnectionHost } from './connection.ts'
import { Connection, GOING_AWAY } from './connection.ts'
import type { HubMethod } from './define-method.ts'
import type { Dispatch, Refused } from './dispatcher.ts'
import { createDispatcher } from './dispatcher.ts'
import { Groups } from './groups.ts'
import type { HubLimits } from './limits.ts'
import { DEFAULT_HUB_LIMITS } from './limits.ts'
import { Outbox } from './outbox.ts'
import type { Invocation, StreamInvocation } from './protocol.ts'
import { encodeClose, encodeInvocation } from './protocol.ts'
import { negotiation, tokenOf } from './sign-in.ts'

export interface HubOptions {
  readonly ctx: Ctx
  readonly methods: readonly HubMethod[]
  readonly limits?: Partial<HubLimits>
  /** Whose token this is; throws `unauthorized` for a bad one. */
  authenticate(token: string, origin: Origin): Promise<UserActor>
  /** The HTTP answer to a request that `authenticate` or a stopping hub refused. */
  refuse(error: unknown, requestId: string): Response
  readonly refused: Refused
  /** Asked once a connection is registered: closes the race with a suspension or revocation. */
  stillActive(actor: UserActor): Promise<boolean>
  conversationsOf(actor: UserActor): Promise<readonly string[]>
  /** Told of every connection that took part, once each way. */
  readonly presence: {
    connected(actor: UserActor): void | Promise<void>
    disconnected(actor: UserActor): void | Promise<void>
  }
}

export interface HubCounts {
  readonly connections: number
  readonly users: number
  /** Invocations that run now. */
  readonly running: number
}

export interface Hub extends Subscriber {
  /** Answers `POST /hubs/dm/negotiate`. */
  negotiate(request: Request, origin: Origin): Promise<Response>
  /** Decides over the WebSocket request of `/hubs/dm`. */
  upgrade(request: Request, origin: Origin): Promise<SocketHandler | Response>
  counts(): HubCounts
  /** Ends every connection so that clients reconnect: within two goodbyes, usually at once. */
  close(): Promise<void>
}

/** Builds the hub and starts its sweep; `close` ends both. */
export function createHub(options: HubOptions): Hub {
  return new LiveHub(options)
}

class LiveHub implements Hub, ConnectionHost {
  readonly limits: HubLimits
  readonly outbox = new Outbox()
  tick = 0
  stopping = false
  private readonly options: HubOptions
  private readonly dispatch: Dispatch
  private readonly connections = new Set<Connection>()
  private readonly groups = new Groups<Connection>()
  private readonly sweeping: NodeJS.Timeout
  private running = 0
  private idle: (() => void) | undefined

  constructor(options: HubOptions) {
    this.options = options
    this.limits = { ...DEFAULT_HUB_LIMITS, ...options.limits }
    this.dispatch = createDispatcher(options.ctx, options.methods, options.refused)
    this.sweeping = setInterval(() => this.sweep(), this.limits.sweepMs).unref()
  }

  async negotiate(request: Request, origin: Origin): Promise<Response> {
    const { ids } = this.options.ctx
    try {
      await this.signIn(request, origin)
      return Response.json(negotiation(request, ids.next(), ids.next()))
    } catch (error) {
      return this.options.refuse(error, origin.requestId)
    }
  }

  async upgrade(request: Request, origin: Origin): Promise<SocketHandler | Response> {
    const { ids } = this.options.ctx
    try {
      const actor = await this.signIn(request, origin)
      return new Connection(this, ids.next(), actor)
    } catch (error) {
      return this.options.refuse(error, origin.requestId)
    }
  }

  private signIn(request: Request, origin: Origin): Promise<UserActor> {
    if (this.stopping) throw new AppError(commonErrors.shuttingDown)
    const token = tokenOf(request)
    if (token === undefined) throw new AppError(commonErrors.unauthorized)
    return this.options.authenticate(token, origin)
  }

  events(events: readonly AppEvent[]): void {
    for (const { audience, name, payload, joins, leaves } of events) {
      if (joins !== undefined) this.groups.join(audience, joins)
      this.deliver({ audience, name, payload })
      if (leaves !== undefined) this.groups.leave(audience, leaves)
    }
  }

  signal(signal: Signal): void {
    this.deliver(signal)
  }

  disconnect({ userId, sessionId, reason }: Disconnect): void {
    const record = encodeClose({ error: reason, allowReconnect: false })
    for (const connection of this.groups.connectionsOf(userId, sessionId)) connection.end(record)
  }

  counts(): HubCounts {
    const { connections, groups, running } = this
    return { connections: connections.size, users: groups.users, running }
  }

  async close(): Promise<void> {
    this.stopping = true
    await this.settled(() => this.running === 0)
    for (const connection of this.connections) {
      connection.end(encodeClose({ allowReconnect: true }), GOING_AWAY)
    }
    await this.settled(() => this.connections.size === 0)
    for (const connection of this.connections) connection.drop()
    clearInterval(this.sweeping)
  }

  opened(connection: Connection): void {
    this.connections.add(connection)
    if (this.stopping) connection.end('', GOING_AWAY)
  }

  admit(connection: Connection): void {
    if (this.groups.add(connection, this.limits.connectionsPerUser)) void this.join(connection)
    else connection.end(encodeClose({ error: 'too_many_connections' }))
  }

  async run(connection: Connection, call: Invocation | StreamInvocation) {
    this.running += 1
    const completion = await this.dispatch(connection, call)
    this.running -= 1
    this.idle?.()
    return completion
  }

  left(connection: Connection): void {
    this.groups.remove(connection)
    if (connection.announced) void this.announce('disconnected', connection.actor)
  }

  closed(connection: Connection): void {
    this.connections.delete(connection)
    this.idle?.()
  }

  private async join(connection: Connection): Promise<void> {
    const { actor } = connection
    const { conversationsOf, stillActive, ctx } = this.options
    try {
      const joined = this.groups.joinAll(actor.userId, () => conversationsOf(actor))
      const [active] = await Promise.all([stillActive(actor), joined])
      if (!active) connection.end(encodeClose({ error: commonErrors.unauthorized.code }))
    } catch (error) {
      ctx.log.error({ err: error, userId: actor.userId }, 'a connection could not join')
      connection.end(encodeClose({ error: commonErrors.internal.code, allowReconnect: true }))
    }
    // It may also have ended in the meantime.
    if (!connection.takesPart) return
    connection.announced = true
    connection.ready()
    void this.announce('connected', actor)
  }

  private async announce(change: 'connected' | 'disconnected', actor: UserActor): Promise<void> {
    const { presence, ctx } = this.options
    try {
      await presence[change](actor)
    } catch (error) {
      ctx.log.error({ err: error, userId: actor.userId }, 'presence could not be told')
    }
  }

  /** Encodes once, whoever listens, and not at all when nobody does. */
  private deliver({ audience, name, payload, exceptConnectionId }: Signal): void {
    if (!this.groups.reaches(audience)) return
    this.groups.deliver(audience, encodeInvocation(name, payload), exceptConnectionId)
  }

  private sweep(): void {
    this.tick += 1
    for (const connection of this.connections) connection.sweep()
  }

  /** Waits for a condition, but no longer than a goodbye may take. */
  private settled(isDone: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(deadline)
        this.idle = undefined
        resolve()
      }
      const deadline = setTimeout(finish, this.limits.goodbyeMs)
      this.idle = () => void (isDone() && finish())
      this.idle()
    })
  }
}
