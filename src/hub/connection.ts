import type { UserActor } from '../policy/actor.ts'
import type { Socket, SocketHandler } from '../runtime/runtime.ts'
import { RESUMED, type Waiting } from './backlog.ts'
import type { ConnectionHost, Ending } from './connection-host.ts'
import { HandshakeReader } from './handshake.ts'
import { Intake, type IntakeOwner } from './intake.ts'
import { jsonProtocol } from './json-protocol.ts'
import type { Call, CloseOptions, FrameReader, HubProtocol, WireRecord } from './messages.ts'
import { MalformedRecord } from './messages.ts'
import type { Flushable } from './outbox.ts'
import { OutgoingFrame } from './outgoing-frame.ts'
import { Resumption } from './resumption.ts'

/** WebSocket close codes (RFC 6455 §7.4.1). */
const NORMAL = 1000
export const GOING_AWAY = 1001

type State = 'handshake' | 'joining' | 'open' | 'closing' | 'closed'

/**
 * One SignalR connection over one WebSocket or, with stateful reconnect, over several in succession.
 * Between two of them it is `open` without a socket, and outgoing records are only kept.
 */
export class Connection implements SocketHandler, Flushable, IntakeOwner {
  readonly connectionId: string
  /** Set by the hub once presence knows of it. */
  announced = false
  /** Set once it no longer takes part. */
  ending: Ending | undefined
  /** Who signed in on it; after a resumption, who did so last. */
  actor: UserActor
  protocol: HubProtocol = jsonProtocol
  /** With stateful reconnect: offered until the handshake, agreed on from then. */
  resumption: Resumption | undefined
  private readonly host: ConnectionHost
  private readonly intake: Intake
  private readonly frame = new OutgoingFrame()
  private greeting: HandshakeReader | undefined
  private reader: FrameReader | undefined
  private socket: Socket | undefined
  private state: State = 'handshake'
  /**
   * Numbered records are held back until the client sends something after the handshake: official clients
   * count only records in a later frame than the handshake response.
   */
  private held = false
  /** Ticks of the last timed change of state, the last frame received and the last frame sent. */
  private since: number
  private received: number
  private sent: number
  /** A time at which the client was certainly connected: the beginning of the tick of its last frame. */
  private heardAt: number

  constructor(host: ConnectionHost, connectionId: string, actor: UserActor, resumeToken?: string) {
    this.host = host
    this.connectionId = connectionId
    this.actor = actor
    if (resumeToken !== undefined) {
      this.resumption = new Resumption(resumeToken, host.limits.keptSize)
    }
    this.intake = new Intake(this, host.limits)
    this.greeting = new HandshakeReader(host.limits.recordBytes)
    this.since = this.received = this.sent = host.tick
    this.heardAt = host.now()
  }

  get takesPart(): boolean {
    return this.state === 'joining' || this.state === 'open'
  }

  /** Whether its client may connect with another socket and miss nothing. */
  get isResumable(): boolean {
    return this.isAccepting && this.resumption?.isComplete === true
  }

  get isAccepting(): boolean {
    return this.state === 'open' && !this.host.stopping
  }

  /** Characters or bytes kept for a client that is away. */
  get keptWhileAway(): number {
    const isAway = this.state === 'open' && this.socket === undefined
    return isAway ? (this.resumption?.size ?? 0) : 0
  }

  opened(socket: Socket): void {
    this.socket = socket
    this.since = this.host.tick
    this.host.opened(this)
  }

  message(socket: Socket, data: string | Uint8Array): void {
    if (socket !== this.socket || this.state === 'closing' || this.state === 'closed') return
    this.hear()
    if (this.held) this.letOut()
    for (const record of this.recordsOf(data)) this.intake.add(record)
    if (this.intake.isOverfull) this.fail('too many invocations')
    else this.intake.start()
  }

  closed(socket: Socket, code: number): void {
    if (socket !== this.socket) return
    this.socket = undefined
    // A failed network yields 1006, a client that gives up a frozen connection 1005.
    const saysGoodbye = code === NORMAL || code === GOING_AWAY
    if (this.isResumable && !saysGoodbye) this.loseSocket()
    else this.gone(saysGoodbye)
  }

  /** Takes over from a socket that is lost, even if only the client knows so far. */
  resumeOn(socket: Socket, actor: UserActor): void {
    if (!this.isResumable || this.resumption === undefined) {
      socket.terminate()
      return
    }
    this.loseSocket()
    this.socket = socket
    this.actor = actor
    this.hear()
    this.intake.add(RESUMED)
    const sequenceId = this.resumption.firstKeptId
    this.queue(this.protocol.encode({ kind: 'sequence', sequenceId }))
    for (const record of this.resumption.kept) this.queue(record)
  }

  /** Queues an encoded invocation or completion; ignored after the end. */
  send(record: WireRecord): void {
    if (!this.takesPart) return
    const { resumption } = this
    if (resumption === undefined) {
      this.queue(record)
      const { unreadBytes } = this.host.limits
      if (this.state === 'joining' && this.frame.length > unreadBytes) this.drop()
      return
    }
    resumption.keep(record)
    if (this.state === 'open' && this.socket !== undefined && !this.held) this.queue(record)
    else if (!resumption.isComplete) this.drop()
  }

  flush(): void {
    if (this.socket === undefined || this.frame.length === 0) return
    // Checked before the frame is queued: one large batch is no sign of a client that stopped reading.
    if (this.socket.bufferedBytes() > this.host.limits.unreadBytes) {
      this.drop()
      return
    }
    this.sent = this.host.tick
    this.socket.send(this.frame.take())
  }

  /** Called once the groups are joined: answers the handshake and starts what the client already sent. */
  ready(): void {
    this.state = 'open'
    this.since = this.host.tick
    this.host.outbox.add(this)
    if (this.resumption !== undefined) {
      this.held = true
      if (!this.intake.isEmpty) this.letOut()
    }
    this.intake.start()
  }

  /** Closes, after a last record if any; anything the client still sends is ignored. */
  end(goodbye?: CloseOptions, code: number = NORMAL): void {
    if (this.state === 'closing' || this.state === 'closed') return
    if (this.takesPart && goodbye !== undefined) {
      this.frame.add(this.protocol.encode({ kind: 'close', ...goodbye }))
    }
    this.flush()
    this.leave('closing', this.isHeard)
    if (this.socket === undefined) this.gone()
    else this.socket.close(code, '')
  }

  /** Drops the connection without a close message. */
  drop(): void {
    this.leave('closing')
    if (this.socket === undefined) this.gone()
    else this.socket.terminate()
  }

  /** Handles overdue timeouts; the hub calls it at every tick. */
  sweep(): void {
    const { limits } = this.host
    const passed = (since: number) => this.passed(since)
    if (this.state === 'handshake') {
      if (passed(this.since) > limits.handshakeMs) this.end()
    } else if (this.state === 'closing') {
      if (passed(this.since) > limits.goodbyeMs) this.drop()
    } else if (this.socket === undefined) {
      if (passed(this.since) > limits.resumeMs) this.gone()
    } else if (passed(this.received) > limits.silenceMs) {
      if (this.isResumable) this.loseSocket()
      else this.end({ error: 'The client was silent for too long.', allowReconnect: true })
    } else if (this.state === 'open') {
      if (this.held && passed(this.since) >= limits.holdMs) this.letOut()
      this.confirm()
      if (passed(this.sent) >= limits.keepAliveMs) this.queue(this.protocol.ping)
    }
  }

  /** Returns the frame's records; none, after closing the connection, if the frame is malformed. */
  private recordsOf(data: WireRecord): readonly WireRecord[] {
    try {
      const rest = this.greeting === undefined ? data : this.shakeHands(this.greeting, data)
      if (rest.length > 0 && this.reader !== undefined) return this.reader.read(rest)
    } catch (error) {
      if (!(error instanceof MalformedRecord)) throw error
      this.fail(error.message)
    }
    return []
  }

  /** Returns what follows the handshake in the frame. */
  private shakeHands(greeting: HandshakeReader, data: WireRecord): WireRecord {
    const read = greeting.read(data)
    if (read === undefined) return ''
    this.greeting = undefined
    if (read.answer !== undefined) this.frame.add(read.answer)
    if (!read.accepted) {
      this.end()
      return ''
    }
    this.protocol = read.protocol
    this.reader = this.protocol.reader(this.host.limits.recordBytes)
    if (!read.resumes) this.resumption = undefined
    this.state = 'joining'
    this.host.admit(this)
    return read.rest
  }

  /** Handles one record; skips those that a lost transport already delivered. */
  act(record: Waiting): void {
    if (record === RESUMED) {
      this.resumption?.expectSequence()
      return
    }
    try {
      const message = this.protocol.decode(record)
      if (this.resumption?.admits(message, record.length) === false) return
      if (this.resumption?.confirmsAtOnce) this.confirm()
      if (message.kind === 'close') this.end()
      else if ('target' in message) void this.answer(message)
    } catch (error) {
      if (!(error instanceof MalformedRecord)) throw error
      this.fail(error.message)
    }
  }

  private async answer(call: Call): Promise<void> {
    this.intake.began()
    const completion = await this.host.run(this, call)
    if (completion !== undefined) this.send(completion)
    this.intake.ended()
  }

  /** Acknowledges received records, so that the client need not keep them. */
  private confirm(): void {
    if (this.socket === undefined) return
    const sequenceId = this.resumption?.takeConfirmation()
    if (sequenceId !== undefined) this.queue(this.protocol.encode({ kind: 'ack', sequenceId }))
  }

  /** Queues a record for the current socket; it is lost with that socket. */
  private queue(record: WireRecord): void {
    if (this.socket === undefined) return
    // Nothing is sent while joining, not even the handshake response.
    if (this.frame.length === 0 && this.state === 'open') this.host.outbox.add(this)
    this.frame.add(record)
  }

  private letOut(): void {
    this.held = false
    for (const record of this.resumption?.kept ?? []) this.queue(record)
  }

  private loseSocket(): void {
    const { socket } = this
    this.socket = undefined
    this.held = false
    this.since = this.host.tick
    this.frame.clear()
    this.reader = this.protocol.reader(this.host.limits.recordBytes)
    socket?.terminate()
  }

  private fail(why: string): void {
    this.end({ error: `Connection closed with an error. ${why}` })
  }

  private gone(saysGoodbye = false): void {
    this.leave('closed', saysGoodbye)
    this.host.closed(this)
  }

  /**
   * Whether the client is certainly connected: clients ping twice within the time after which they are
   * considered gone.
   */
  private get isHeard(): boolean {
    const { silenceMs } = this.host.limits
    return this.socket !== undefined && this.passed(this.received) <= silenceMs / 2
  }

  private hear(): void {
    this.received = this.host.tick
    this.heardAt = Math.max(this.heardAt, this.host.tickBegan)
  }

  private passed(since: number): number {
    return (this.host.tick - since) * this.host.limits.sweepMs
  }

  private leave(next: 'closing' | 'closed', isWhole = false): void {
    const tookPart = this.takesPart
    // Who says goodbye has got everything up to now.
    const heardAt = isWhole ? this.host.now() : this.heardAt
    if (tookPart) this.ending = { heardAt, brokeOff: !isWhole }
    this.state = next
    this.since = this.host.tick
    this.frame.clear()
    if (tookPart) this.host.left(this)
  }
}
