/** How many connections each of something has: each person, each device. */
export interface ConnectionCount {
  /** True when it is the first. */
  connected(id: string): boolean
  /** True when it was the last. */
  disconnected(id: string): boolean
  isOnline(id: string): boolean
}

export function createConnectionCount(): ConnectionCount {
  const connections = new Map<string, number>()
  return {
    connected(id) {
      const count = (connections.get(id) ?? 0) + 1
      connections.set(id, count)
      return count === 1
    },
    disconnected(id) {
      const count = (connections.get(id) ?? 0) - 1
      if (count > 0) connections.set(id, count)
      else connections.delete(id)
      return count === 0
    },
    isOnline: (id) => connections.has(id),
  }
}
