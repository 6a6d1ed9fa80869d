import type { Connection } from './connection.ts'
import type { HubLimits } from './limits.ts'
import type { Call, WireRecord } from './messages.ts'
import type { Outbox } from './outbox.ts'

/** How a connection ended for whoever asks what its client may have missed. */
export interface Ending {
  /** A time in milliseconds at which the client was surely there. */
  readonly heardAt: number
  /** Whether what was sent since then may not have arrived. */
  readonly brokeOff: boolean
}

/** What a connection needs of its hub. */
export interface ConnectionHost {
  readonly limits: HubLimits
  readonly outbox: Outbox
  /** Sweeps so far. Time-outs count them: a message costs no timer and no look at a clock. */
  readonly tick: number
  /** When the current tick began, in milliseconds: sweeps come late on a busy machine. */
  readonly tickBegan: number
  now(): number
  /** Whether no further invocations are started. */
  readonly stopping: boolean
  opened(connection: Connection): void
  /** The handshake was good; ends in `ready` or `end`. */
  admit(connection: Connection): void
  /** Runs an invocation to its completion record, if the client wants one. Never rejects. */
  run(connection: Connection, call: Call): Promise<WireRecord | undefined>
  /** It takes part no longer. Called once, before the socket is gone. */
  left(connection: Connection): void
  /** Its socket is gone and it waits for no other. Called once. */
  closed(connection: Connection): void
}
