import { createConnectionCount } from '../../platform/connection-count.ts'

/** The owner of a connection: a person, on the device of a sign-in. */
interface Connected {
  readonly userId: string
  readonly sessionId?: string | undefined
}

/**
 * How a connection ended: when its client was last known to be there, and whether it
 * may have missed something since.
 */
export interface Ended {
  readonly heardAt: number
  readonly brokeOff: boolean
}

/** Somebody whose last connection broke off. What was sent since `heardAt` may not have arrived. */
interface Lost {
  readonly userId: string
  readonly heardAt: number
}

/** Who has a live connection on this node. */
export interface PresenceTracker {
  /** True when it is the person's first connection. */
  connected(who: Connected): boolean
  /** True when it was the person's last connection. */
  disconnected(who: Connected, ended: Ended): boolean
  /** Calls the listener synchronously for every lost person, before anybody else can see them offline. */
  onLost(listener: (lost: Lost) => void): void
  isOnline(userId: string): boolean
  isSessionOnline(sessionId: string): boolean
}

export function createPresenceTracker(): PresenceTracker {
  const users = createConnectionCount()
  const sessions = createConnectionCount()
  /** For people with other open connections: when one that has ended was last heard from. */
  const heard = new Map<string, number>()
  const listeners: ((lost: Lost) => void)[] = []
  return {
    connected({ userId, sessionId }) {
      if (sessionId) sessions.connected(sessionId)
      return users.connected(userId)
    },
    disconnected({ userId, sessionId }, { heardAt, brokeOff }) {
      if (sessionId) sessions.disconnected(sessionId)
      const isLast = users.disconnected(userId)
      const lastHeard = Math.max(heardAt, heard.get(userId) ?? 0)
      if (!isLast) heard.set(userId, lastHeard)
      else {
        heard.delete(userId)
        if (brokeOff) for (const tell of listeners) tell({ userId, heardAt: lastHeard })
      }
      return isLast
    },
    onLost: (listener) => void listeners.push(listener),
    isOnline: (userId) => users.isOnline(userId),
    isSessionOnline: (sessionId) => sessions.isOnline(sessionId),
  }
}
