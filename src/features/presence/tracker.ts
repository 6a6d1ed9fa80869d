/** Whose connection it is: a person's, on a device of a sign-in. */
interface Connected {
  readonly userId: string
  readonly sessionId?: string
}

/** Who has a live connection on this node, and how many. */
export interface PresenceTracker {
  /** True when it is the person's first connection. */
  connected(who: Connected): boolean
  /** True when it was the person's last connection. */
  disconnected(who: Connected): boolean
  isOnline(userId: string): boolean
  isSessionOnline(sessionId: string): boolean
}

export function createPresenceTracker(): PresenceTracker {
  const users = createCounter()
  const sessions = createCounter()
  return {
    connected({ userId, sessionId }) {
      if (sessionId) sessions.add(sessionId, 1)
      return users.add(userId, 1) === 1
    },
    disconnected({ userId, sessionId }) {
      if (sessionId) sessions.add(sessionId, -1)
      return users.add(userId, -1) === 0
    },
    isOnline: (userId) => users.has(userId),
    isSessionOnline: (sessionId) => sessions.has(sessionId),
  }
}

function createCounter() {
  const counts = new Map<string, number>()
  return {
    has: (id: string) => counts.has(id),
    add(id: string, change: 1 | -1): number {
      const count = (counts.get(id) ?? 0) + change
      if (count > 0) counts.set(id, count)
      else counts.delete(id)
      return count
    },
  }
}
