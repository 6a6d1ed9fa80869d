import type { Incoming, WireRecord } from './messages.ts'
import { MalformedRecord } from './messages.ts'

/** Once this much from a client is unacknowledged, it is acknowledged at once, not at the next sweep. */
const ACK_BYTES = 16 * 1024

/**
 * Lets a connection continue over another transport (HubProtocol, "Stateful Reconnect"). Both sides
 * number their invocations, completions and stream messages from 1, keep what they sent until it is
 * acknowledged, and after a loss begin with the number of the first one that they repeat.
 */
export class Resumption {
  /** Identifies the connection to the next transport. */
  readonly token: string
  /** Characters or bytes of what is kept. */
  size = 0
  private readonly maxSize: number
  private records: WireRecord[] = []
  private firstId = 1
  private acknowledged = 0
  private nextReceived = 1
  private latestReceived = 0
  private awaitsSequence = false
  private unconfirmed = 0
  private confirms = false

  constructor(token: string, maxSize: number) {
    this.token = token
    this.maxSize = maxSize
  }

  /** The records to send again, in order. */
  get kept(): readonly WireRecord[] {
    return this.records
  }

  get firstKeptId(): number {
    return this.firstId
  }

  /** Whether every record that the client may have missed is kept. */
  get isComplete(): boolean {
    return this.acknowledged + 1 >= this.firstId
  }

  /**
   * Numbers and keeps an outgoing record. If they no longer fit, all kept records are discarded, since
   * none would help a client that misses the first. Its next acknowledgement makes this complete again.
   */
  keep(record: WireRecord): void {
    this.records.push(record)
    this.size += record.length
    if (this.size > this.maxSize) this.letGo(this.records.length)
  }

  /** A new transport begins: messages are ignored until the client has said where it starts. */
  expectSequence(): void {
    this.awaitsSequence = true
  }

  /**
   * Whether to act on a client's message; false for repeated messages, acks and sequence messages. Throws
   * MalformedRecord for impossible numbers.
   */
  admits(message: Incoming, size: number): boolean {
    if (message.kind === 'sequence') {
      this.startAt(message.sequenceId)
      this.awaitsSequence = false
      return false
    }
    if (this.awaitsSequence) return false
    if (message.kind === 'ack') {
      this.acknowledge(message.sequenceId)
      return false
    }
    if (!isNumbered(message)) return true
    const id = this.nextReceived
    this.nextReceived += 1
    // Repeated messages are confirmed too: the client sent them again because it got no acknowledgement.
    this.confirms = true
    this.unconfirmed += size
    if (id <= this.latestReceived) return false
    this.latestReceived = id
    return true
  }

  get confirmsAtOnce(): boolean {
    return this.unconfirmed >= ACK_BYTES
  }

  /** The number to acknowledge; undefined if nothing new arrived. */
  takeConfirmation(): number | undefined {
    if (!this.confirms) return undefined
    this.confirms = false
    this.unconfirmed = 0
    return this.latestReceived
  }

  /** Throws MalformedRecord for a number that was never sent. */
  private acknowledge(id: number): void {
    if (id >= this.firstId + this.records.length) {
      throw new MalformedRecord("'sequenceId' is greater than what was sent.")
    }
    if (id <= this.acknowledged) return
    this.acknowledged = id
    this.letGo(id - this.firstId + 1)
  }

  /** Throws MalformedRecord for a start that leaves a gap. */
  private startAt(id: number): void {
    if (id > this.nextReceived) {
      throw new MalformedRecord("'sequenceId' is greater than what was received.")
    }
    this.nextReceived = id
  }

  private letGo(count: number): void {
    if (count <= 0) return
    for (const record of this.records.splice(0, count)) this.size -= record.length
    this.firstId += count
  }
}

function isNumbered({ kind }: Incoming): boolean {
  return kind === 'invocation' || kind === 'stream-invocation' || kind === 'ignored'
}
