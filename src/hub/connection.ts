import type { UserActor } from '../policy/actor.ts'
import type { Socket, SocketHandler } from '../runtime/runtime.ts'
import { Backlog } from './backlog.ts'
import { RecordReader } from './framing.ts'
import { HANDSHAKE_ACCEPTED, readHandshake } from './handshake.ts'
import type { HubLimits } from './limits.ts'
import type { Flushable, Outbox } from './outbox.ts'
import type { Invocation, StreamInvocation } from './protocol.ts'
import { decode, encodeClose, MalformedRecord, PING_RECORD } from './protocol.ts'

/** WebSocket close codes (RFC 6455 §7.4.1). */
const NORMAL = 1000
export const GOING_AWAY = 1001

/** What a connection needs of its hub. */
export interface ConnectionHost {
  readonly limits: HubLimits
  readonly outbox: Outbox
  /** Sweeps so far. Time-outs count them: a message costs no timer and no look at a clock. */
  readonly tick: number
  /** Whether no further invocations are started. */
  readonly stopping: boolean
  opened(connection: Connection): void
  /** The handshake was good; ends in `ready` or `end`. */
  admit(connection: Connection): void
  /** Runs an invocation to its completion record, if the client wants one. Never rejects. */
  run(connection: Connection, call: Invocation | StreamInvocation): Promise<string | undefined>
  /** It takes part no longer. Called once, before the socket is gone. */
  left(connection: Connection): void
  /** Its socket is gone. Called once. */
  closed(connection: Connection): void
}

type State = 'handshake' | 'joining' | 'open' | 'closing' | 'closed'

/** One SignalR connection over one WebSocket. */
export class Connection implements SocketHandler, Flushable {
  readonly connectionId: string
  readonly actor: UserActor
  /** Set by the hub once presence knows of it. */
  announced = false
  private readonly host: ConnectionHost
  private readonly reader: RecordReader
  private readonly backlog = new Backlog()
  private socket: Socket | undefined
  private state: State = 'handshake'
  private outgoing = ''
  private running = 0
  private resumes = false
  /** Ticks: of the last change of state that is timed, the last frame in and the last frame out. */
  private since: number
  private received: number
  private sent: number

  constructor(host: ConnectionHost, connectionId: string, actor: UserActor) {
    this.host = host
    this.connectionId = connectionId
    this.actor = actor
    this.reader = new RecordReader(host.limits.recordBytes)
    this.since = this.received = this.sent = host.tick
  }

  get takesPart(): boolean {
    return this.state === 'joining' || this.state === 'open'
  }

  opened(socket: Socket): void {
    this.socket = socket
    this.since = this.host.tick
    this.host.opened(this)
  }

  message(_socket: Socket, data: string | Uint8Array): void {
    if (this.state === 'closing' || this.state === 'closed') return
    this.received = this.host.tick
    for (const record of this.recordsOf(data)) {
      if (this.state === 'handshake') this.shakeHands(record)
      else this.backlog.add(record)
    }
    if (this.overfull()) this.fail('too many invocations')
    else if (!this.resumes) this.startWaiting()
  }

  closed(): void {
    this.leave('closed')
    this.host.closed(this)
  }

  /** Queues an encoded record; after the end it is swallowed. */
  send(record: string): void {
    if (!this.takesPart) return
    // While joining nothing goes out: the answer to the handshake waits for it too.
    if (this.outgoing === '' && this.state === 'open') this.host.outbox.add(this)
    this.outgoing += record
    if (this.state === 'joining' && this.outgoing.length > this.host.limits.unreadBytes) this.drop()
  }

  flush(): void {
    if (this.socket === undefined || this.outgoing === '') return
    // Judged before the frame is queued: one large batch is no sign of a client that does not read.
    if (this.socket.bufferedBytes() > this.host.limits.unreadBytes) {
      this.drop()
      return
    }
    const frame = this.outgoing
    this.outgoing = ''
    this.sent = this.host.tick
    this.socket.send(frame)
  }

  /** Joined to everything: answers the handshake and starts what the client already sent. */
  ready(): void {
    this.state = 'open'
    this.host.outbox.add(this)
    this.startWaiting()
  }

  /** Sends a last record, if any, then closes; what the client sends from now on is ignored. */
  end(record: string, code: number = NORMAL): void {
    if (this.state === 'closing' || this.state === 'closed') return
    if (this.takesPart) this.outgoing += record
    this.flush()
    this.leave('closing')
    this.socket?.close(code, '')
  }

  /** Cuts the connection without a word. */
  drop(): void {
    this.leave('closing')
    this.socket?.terminate()
  }

  /** Looks for what is overdue; the hub calls it at every tick. */
  sweep(): void {
    const { tick, limits } = this.host
    const passed = (since: number) => (tick - since) * limits.sweepMs
    if (this.state === 'handshake') {
      if (passed(this.since) > limits.handshakeMs) this.end('')
    } else if (this.state === 'closing') {
      if (passed(this.since) > limits.goodbyeMs) this.drop()
    } else if (passed(this.received) > limits.silenceMs) {
      this.end(encodeClose({ error: 'The client was silent too long.', allowReconnect: true }))
    } else if (passed(this.sent) >= limits.keepAliveMs && this.state === 'open') {
      this.send(PING_RECORD)
    }
  }

  /** None, after ending the connection, of a frame that breaks the rules. */
  private recordsOf(data: string | Uint8Array): readonly string[] {
    try {
      if (typeof data === 'string') return this.reader.read(data)
      this.fail('Binary frames are not supported.')
    } catch {
      this.fail('A record is too large.')
    }
    return []
  }

  private shakeHands(record: string): void {
    const request = readHandshake(record)
    if (request.accepted) {
      this.state = 'joining'
      this.outgoing = HANDSHAKE_ACCEPTED
      this.host.admit(this)
    } else {
      this.outgoing = request.answer ?? ''
      this.end('')
    }
  }

  private overfull(): boolean {
    const { waitingRecords, waitingCharacters } = this.host.limits
    return this.backlog.size > waitingRecords || this.backlog.characters > waitingCharacters
  }

  /** Starts waiting invocations in order, as many as this turn of the event loop has room for. */
  private startWaiting(): void {
    const { running, startedPerTurn } = this.host.limits
    for (let started = 0; started < startedPerTurn; started += 1) {
      if (this.state !== 'open' || this.host.stopping || this.running >= running) return
      const record = this.backlog.take()
      if (record === undefined) return
      this.receive(record)
    }
    this.resumeLater()
  }

  private resumeLater(): void {
    if (this.resumes || this.backlog.size === 0) return
    this.resumes = true
    setImmediate(() => {
      this.resumes = false
      this.startWaiting()
    })
  }

  private receive(record: string): void {
    try {
      const message = decode(record)
      if (message.kind === 'close') this.end('')
      else if (message.kind !== 'nothing') void this.answer(message)
    } catch (error) {
      if (!(error instanceof MalformedRecord)) throw error
      this.fail(error.message)
    }
  }

  private async answer(call: Invocation | StreamInvocation): Promise<void> {
    this.running += 1
    const completion = await this.host.run(this, call)
    this.running -= 1
    if (completion !== undefined) this.send(completion)
    this.resumeLater()
  }

  private fail(why: string): void {
    this.end(encodeClose({ error: `Connection closed with an error. ${why}` }))
  }

  private leave(next: 'closing' | 'closed'): void {
    const tookPart = this.takesPart
    this.state = next
    this.since = this.host.tick
    this.outgoing = ''
    if (tookPart) this.host.left(this)
  }
}
