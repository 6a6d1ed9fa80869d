/** Bounds of one hub. Durations in milliseconds; they are checked once every `sweepMs`. */
export interface HubLimits {
  /** Longest record a client may send, in bytes of UTF-8. */
  readonly recordBytes: number
  /** Largest WebSocket message, of any number of records: for `ServeOptions.maxMessageBytes`. */
  readonly frameBytes: number
  /** Bytes queued for a client that does not read, after which it is cut off. */
  readonly unreadBytes: number
  /** Invocations of one connection that run at the same time; further ones wait. */
  readonly running: number
  /** Invocations started in one turn of the event loop, so that a flood leaves room for others. */
  readonly startedPerTurn: number
  /** Waiting records of one connection and their characters; beyond either it is closed. */
  readonly waitingRecords: number
  readonly waitingCharacters: number
  /** Includes connections waiting for their client to return. Also limits a user's open reconnect offers. */
  readonly connectionsPerUser: number
  /** How long a new connection may take to send its handshake. */
  readonly handshakeMs: number
  /** After this long without a record to a client, it gets a ping. */
  readonly keepAliveMs: number
  /** After this long without a frame from a client, it is considered gone. */
  readonly silenceMs: number
  /** How long a closed connection has for its close handshake before it is dropped. */
  readonly goodbyeMs: number
  /** Stateful reconnect: how long events wait for a client that is silent after its handshake. */
  readonly holdMs: number
  /** How long a connection waits for its client to return. */
  readonly resumeMs: number
  /** Characters or bytes that are kept for a client until it acknowledges them. */
  readonly keptSize: number
  /** The same for all waiting connections together; those that exceed it are dropped. */
  readonly keptTotal: number
  readonly sweepMs: number
}

/**
 * SignalR's own where it has one (handshake 15 s, keep-alive 15 s, client timeout 30 s, reconnect within
 * 30 s).
 */
export const DEFAULT_HUB_LIMITS: HubLimits = {
  recordBytes: 32 * 1024,
  frameBytes: 1024 * 1024,
  unreadBytes: 1024 * 1024,
  running: 128,
  startedPerTurn: 64,
  waitingRecords: 16_384,
  waitingCharacters: 2 * 1024 * 1024,
  connectionsPerUser: 64,
  handshakeMs: 15_000,
  keepAliveMs: 15_000,
  silenceMs: 30_000,
  goodbyeMs: 1000,
  holdMs: 1000,
  resumeMs: 30_000,
  // Ten times ASP.NET's, which instead makes senders wait for acknowledgements. Official clients send one
  // a second, and one that reads more than 100 kB in between need not be slowed down.
  keptSize: 1024 * 1024,
  keptTotal: 64 * 1024 * 1024,
  sweepMs: 1000,
}
