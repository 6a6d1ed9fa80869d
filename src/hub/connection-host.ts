import type { Connection } from './connection.ts'
import type { HubLimits } from './limits.ts'
import type { Call, WireRecord } from './messages.ts'
import type { Outbox } from './outbox.ts'

/** How a connection ended, to tell what its client may have missed. */
export interface Ending {
  /** A time in milliseconds at which the client was certainly connected. */
  readonly heardAt: number
  /** Whether records sent since then may not have arrived. */
  readonly brokeOff: boolean
}

/** What a connection needs of its hub. */
export interface ConnectionHost {
  readonly limits: HubLimits
  readonly outbox: Outbox
  /** Sweeps so far. Timeouts count these, so that a message needs neither a timer nor the clock. */
  readonly tick: number
  /** When the current tick began, in milliseconds: sweeps come late on a busy machine. */
  readonly tickBegan: number
  now(): number
  /** Whether no further invocations are started. */
  readonly stopping: boolean
  opened(connection: Connection): void
  /** Called after a valid handshake; leads to `ready` or `end`. */
  admit(connection: Connection): void
  /** Runs an invocation to its completion record, if the client wants one. Never rejects. */
  run(connection: Connection, call: Call): Promise<WireRecord | undefined>
  /** The connection no longer takes part. Called once, before its socket is gone. */
  left(connection: Connection): void
  /** The socket is gone and no other is awaited. Called once. */
  closed(connection: Connection): void
}
