import type { Incoming, WireRecord } from './messages.ts'
import { MalformedRecord } from './messages.ts'

/** Read from a client without telling it so, after which it is told at once, not with the sweep. */
const ACK_BYTES = 16 * 1024

/**
 * What lets one connection go on over another transport (HubProtocol, "Stateful Reconnect"). Both
 * sides number their invocations, completions and stream messages from 1 on, keep what they sent
 * until it is acknowledged, and after a loss begin with the number of the first one they send again.
 */
export class Resumption {
  /** By which the next transport finds the connection. */
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

  /** What is sent again, in its order. */
  get kept(): readonly WireRecord[] {
    return this.records
  }

  get firstKeptId(): number {
    return this.firstId
  }

  /** Whether everything is kept that the client may miss. */
  get isComplete(): boolean {
    return this.acknowledged + 1 >= this.firstId
  }

  /**
   * Numbers and keeps what goes out. What does not fit is let go with everything before it: none of it
   * would help a client that misses the first of it. Its next acknowledgement makes it complete again.
   */
  keep(record: WireRecord): void {
    this.records.push(record)
    this.size += record.length
    if (this.size > this.maxSize) this.letGo(this.records.length)
  }

  /** A new transport begins: nothing counts until the client said where it starts. */
  expectSequence(): void {
    this.awaitsSequence = true
  }

  /**
   * Whether a message of the client is to be acted on; false for one that came before and for those
   * that are about the numbers. Throws MalformedRecord for numbers that cannot be.
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
    // Also what came twice is confirmed: the client sent it again because it had no word of it.
    this.confirms = true
    this.unconfirmed += size
    if (id <= this.latestReceived) return false
    this.latestReceived = id
    return true
  }

  get confirmsAtOnce(): boolean {
    return this.unconfirmed >= ACK_BYTES
  }

  /** The number to acknowledge; undefined if there is no news. */
  takeConfirmation(): number | undefined {
    if (!this.confirms) return undefined
    this.confirms = false
    this.unconfirmed = 0
    return this.latestReceived
  }

  /** Throws MalformedRecord for what was never sent. */
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
