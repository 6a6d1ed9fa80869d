import { createConnectionCount } from '../../platform/connection-count.ts'

/** Whose connection it is: a person's, on a device of a sign-in. */
interface Connected {
  readonly userId: string
  readonly sessionId?: string
}

/** Who has a live connection on this node. */
export interface PresenceTracker {
  /** True when it is the person's first connection. */
  connected(who: Connected): boolean
  /** True when it was the person's last connection. */
  disconnected(who: Connected): boolean
  isOnline(userId: string): boolean
  isSessionOnline(sessionId: string): boolean
}

export function createPresenceTracker(): PresenceTracker {
  const users = createConnectionCount()
  const sessions = createConnectionCount()
  return {
    connected({ userId, sessionId }) {
      if (sessionId) sessions.connected(sessionId)
      return users.connected(userId)
    },
    disconnected({ userId, sessionId }) {
      if (sessionId) sessions.disconnected(sessionId)
      return users.disconnected(userId)
    },
    isOnline: (userId) => users.isOnline(userId),
    isSessionOnline: (sessionId) => sessions.isOnline(sessionId),
  }
}
