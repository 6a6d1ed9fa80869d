import type { Ctx } from '../context.ts'
import type { Subscriber } from '../events/bus.ts'
import { type AppEvent, concerns, type Disconnect, type Signal } from '../events/event.ts'
import { AppError, commonErrors } from '../platform/errors.ts'
import { collectGarbage } from '../platform/memory.ts'
import { isSameCredential, type Origin, type UserActor } from '../policy/actor.ts'
import { accessErrors } from '../policy/errors.ts'
import type { SocketHandler } from '../runtime/runtime.ts'
import { Connection, GOING_AWAY } from './connection.ts'
import type { ConnectionHost, Ending } from './connection-host.ts'
import type { HubMethod } from './define-method.ts'
import type { Admit, Dispatch, RecordRefusal } from './dispatcher.ts'
import { createDispatcher } from './dispatcher.ts'
import { EventRecord } from './event-record.ts'
import { Groups } from './groups.ts'
import type { HubLimits } from './limits.ts'
import { DEFAULT_HUB_LIMITS } from './limits.ts'
import type { Call } from './messages.ts'
import { negotiateQueryOf, negotiation } from './negotiation.ts'
import { isResumable, Offers } from './offers.ts'
import { Outbox } from './outbox.ts'
import { ResumedSocket } from './resumed-socket.ts'

export interface HubOptions {
  readonly ctx: Ctx
  readonly methods: readonly HubMethod[]
  readonly limits?: Partial<HubLimits>
  /** Returns the owner of the request's credential; throws `unauthorized` without a valid one. */
  authenticate(request: Request, origin: Origin): Promise<UserActor>
  /** The HTTP answer to a request that `authenticate` or a stopping hub refused. */
  refuse(error: unknown, requestId: string): Response
  readonly recordRefusal: RecordRefusal
  /** Throws a refusal if nobody may invoke the method now. */
  readonly admit?: Admit
  /** Called for every invocation with its method and `done` or the refusal's code. */
  readonly answered?: (method: string, outcome: string) => void
  /** Called once a connection is registered: closes the race with a suspension or revocation. */
  stillActive(actor: UserActor): Promise<boolean>
  conversationsOf(actor: UserActor): Promise<readonly string[]>
  /** Called once each way for every connection that took part. */
  readonly presence: {
    connected(actor: UserActor, connectionId: string): void
    disconnected(actor: UserActor, ending: Ending): void
  }
}

/** An event or a signal, which are delivered alike. */
type Delivery = Omit<Signal, 'name'> & { readonly name: string }

export interface HubCounts {
  readonly connections: number
  readonly users: number
  /** Invocations that run now. */
  readonly running: number
}

export interface Hub extends Subscriber {
  /** Answers `POST /hubs/dm/negotiate`. */
  negotiate(request: Request, origin: Origin): Promise<Response>
  /** Accepts or refuses a WebSocket request for `/hubs/dm`. */
  upgrade(request: Request, origin: Origin): Promise<SocketHandler | Response>
  counts(): HubCounts
  /** Ends every connection so that clients reconnect. Takes at most twice `goodbyeMs`, usually no time. */
  close(): Promise<void>
}

/** Builds the hub and starts its sweep; `close` ends both. */
export function createHub(options: HubOptions): Hub {
  return new LiveHub(options)
}

/** The number of new connections whose garbage is worth a collection. */
const RUSH = 256

/** Leaves room for sockets that are opening or closing, besides the connections that take part. */
const SOCKETS_PER_CONNECTION = 2

class LiveHub implements Hub, ConnectionHost {
  readonly limits: HubLimits
  readonly outbox = new Outbox()
  tick = 0
  tickBegan: number
  stopping = false
  private readonly options: HubOptions
  private readonly dispatch: Dispatch
  private readonly connections = new Set<Connection>()
  private readonly groups = new Groups<Connection>()
  /** Open sockets per user, including those before their handshake. */
  private readonly sockets = new Map<string, number>()
  private readonly offers: Offers
  /** Connections that can be resumed, by their token. */
  private readonly resumable = new Map<string, Connection>()
  private readonly sweeping: NodeJS.Timeout
  private running = 0
  /**
   * Connections opened since the last sweep, and since the last garbage collection. The latter begins at
   * `RUSH`, because a start leaves as much garbage.
   */
  private opening = 0
  private rush = RUSH
  private idle: (() => void) | undefined

  constructor(options: HubOptions) {
    this.options = options
    this.tickBegan = options.ctx.clock.now()
    this.limits = { ...DEFAULT_HUB_LIMITS, ...options.limits }
    this.offers = new Offers(this.limits.connectionsPerUser)
    this.dispatch = createDispatcher(options.ctx, options.methods, options)
    this.sweeping = setInterval(() => this.sweep(), this.limits.sweepMs).unref()
  }

  now(): number {
    return this.options.ctx.clock.now()
  }

  async negotiate(request: Request, origin: Origin): Promise<Response> {
    const { ids } = this.options.ctx
    try {
      const actor = await this.signIn(request, origin)
      const query = negotiateQueryOf(request)
      const connectionId = ids.next()
      const offer = query.statefulReconnect
        ? this.offers.make(actor, ids.next(), this.tick)
        : undefined
      const connectionToken = offer ?? ids.next()
      const statefulReconnect = offer !== undefined
      return Response.json(negotiation(query, { connectionId, connectionToken, statefulReconnect }))
    } catch (error) {
      return this.options.refuse(error, origin.requestId)
    }
  }

  async upgrade(request: Request, origin: Origin): Promise<SocketHandler | Response> {
    const { ids } = this.options.ctx
    try {
      const actor = await this.signIn(request, origin)
      this.requireRoom(actor)
      const token = new URL(request.url).searchParams.get('id')
      if (!isResumable(token)) return new Connection(this, ids.next(), actor)
      const resumed = this.resume(token, actor)
      if (resumed !== undefined) return resumed
      // A client whose connection is gone must negotiate again.
      if (!this.offers.take(actor, token)) throw new AppError(commonErrors.notFound)
      return new Connection(this, ids.next(), actor, token)
    } catch (error) {
      return this.options.refuse(error, origin.requestId)
    }
  }

  private resume(token: string, actor: UserActor): SocketHandler | undefined {
    const connection = this.resumable.get(token)
    if (connection === undefined || !connection.isResumable) return undefined
    const isTheirs = isSameCredential(connection.actor, actor)
    return isTheirs ? new ResumedSocket(connection, actor) : undefined
  }

  /** Sockets before their handshake count too, so that one person cannot take all of them. */
  private requireRoom({ userId }: UserActor): void {
    const open = this.sockets.get(userId) ?? 0
    if (open < SOCKETS_PER_CONNECTION * this.limits.connectionsPerUser) return
    throw new AppError(commonErrors.rateLimited, {}, { retryAfterSeconds: 15 })
  }

  private signIn(request: Request, origin: Origin): Promise<UserActor> {
    if (this.stopping) throw new AppError(commonErrors.shuttingDown)
    return this.options.authenticate(request, origin)
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

  disconnect(order: Disconnect): void {
    const { userId, reason, mayReturn = false } = order
    const candidates =
      userId === undefined ? [...this.connections] : this.groups.connectionsOf(userId)
    for (const connection of candidates) {
      if (!concerns(order, connection.actor)) continue
      connection.end({ error: reason, allowReconnect: mayReturn })
    }
  }

  counts(): HubCounts {
    const { connections, groups, running } = this
    return { connections: connections.size, users: groups.users, running }
  }

  async close(): Promise<void> {
    this.stopping = true
    await this.settled(() => this.running === 0)
    for (const connection of this.connections) {
      connection.end({ allowReconnect: true }, GOING_AWAY)
    }
    await this.settled(() => this.connections.size === 0)
    for (const connection of this.connections) connection.drop()
    clearInterval(this.sweeping)
  }

  opened(connection: Connection): void {
    this.connections.add(connection)
    this.opening += 1
    this.countSocket(connection.actor.userId, 1)
    if (this.stopping) connection.end(undefined, GOING_AWAY)
  }

  admit(connection: Connection): void {
    const { resumption } = connection
    if (resumption !== undefined) this.resumable.set(resumption.token, connection)
    if (this.groups.add(connection, this.limits.connectionsPerUser)) void this.join(connection)
    else connection.end({ error: 'too_many_connections' })
  }

  async run(connection: Connection, call: Call) {
    this.running += 1
    const completion = await this.dispatch(connection, call)
    this.running -= 1
    // Deferred until the caller has queued the completion: a stop that waits for the last invocation must
    // not close before its response.
    if (this.idle) setImmediate(() => this.idle?.())
    return completion
  }

  left(connection: Connection): void {
    this.groups.remove(connection)
    if (connection.resumption !== undefined) this.resumable.delete(connection.resumption.token)
    if (connection.announced && connection.ending !== undefined) {
      this.options.presence.disconnected(connection.actor, connection.ending)
    }
  }

  closed(connection: Connection): void {
    if (this.connections.delete(connection)) this.countSocket(connection.actor.userId, -1)
    this.idle?.()
  }

  private countSocket(userId: string, change: 1 | -1): void {
    const count = (this.sockets.get(userId) ?? 0) + change
    if (count > 0) this.sockets.set(userId, count)
    else this.sockets.delete(userId)
  }

  private async join(connection: Connection): Promise<void> {
    const { actor } = connection
    const { conversationsOf, stillActive, ctx } = this.options
    try {
      const joined = this.groups.joinAll(actor.userId, () => conversationsOf(actor))
      const [active] = await Promise.all([stillActive(actor), joined])
      if (!active) connection.end({ error: commonErrors.unauthorized.code })
    } catch (error) {
      ctx.log.error({ err: error, userId: actor.userId }, 'a connection could not join')
      connection.end({ error: commonErrors.internal.code, allowReconnect: true })
    }
    // It may also have ended in the meantime.
    if (!connection.takesPart) return
    connection.announced = true
    connection.ready()
    this.options.presence.connected(actor, connection.connectionId)
  }

  /** Encodes once per protocol, however many receive it, and not at all if nobody does. */
  private deliver({ audience, name, payload, exceptConnectionId, toConnectionId }: Delivery): void {
    if (!this.groups.reaches(audience)) return
    const event = new EventRecord(name, payload)
    if (toConnectionId !== undefined) {
      const connections = this.groups.connectionsOf(audience.id)
      const only = connections.find((connection) => connection.connectionId === toConnectionId)
      only?.send(event.in(only.protocol))
      return
    }
    this.groups.deliver(audience, event, exceptConnectionId)
  }

  private sweep(): void {
    this.tick += 1
    let kept = 0
    const now = this.now()
    this.tickBegan = now
    for (const connection of this.connections) {
      connection.sweep()
      const { validUntil } = connection.actor
      if (validUntil !== undefined && validUntil <= now) {
        connection.end({ error: accessErrors.tokenExpired.code })
      }
      kept += connection.keptWhileAway
      if (connection.keptWhileAway > 0 && kept > this.limits.keptTotal) connection.drop()
    }
    this.tidy()
    this.offers.expire(this.tick - Math.ceil(this.limits.handshakeMs / this.limits.sweepMs))
  }

  /** Collects the garbage of a rush of new connections once it is over. */
  private tidy(): void {
    const opened = this.opening
    this.opening = 0
    this.rush += opened
    if (opened > 0 || this.rush < RUSH) return
    this.rush = 0
    collectGarbage()
  }

  /** Waits for a condition, but no longer than `goodbyeMs`. */
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
