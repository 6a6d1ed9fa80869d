/** Who has a live connection on this node, and how many. */
export interface PresenceTracker {
  /** True when it is the person's first connection. */
  connected(userId: string): boolean
  /** True when it was the person's last connection. */
  disconnected(userId: string): boolean
  isOnline(userId: string): boolean
}

export function createPresenceTracker(): PresenceTracker {
  const connections = new Map<string, number>()
  return {
    connected(userId) {
      const count = (connections.get(userId) ?? 0) + 1
      connections.set(userId, count)
      return count === 1
    },
    disconnected(userId) {
      const count = (connections.get(userId) ?? 0) - 1
      if (count > 0) connections.set(userId, count)
      else connections.delete(userId)
      return count === 0
    },
    isOnline: (userId) => connections.has(userId),
  }
}
