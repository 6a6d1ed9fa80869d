/** Counts the connections of each id, such as a user or a device. */
export interface ConnectionCount {
  /** Returns true if it is the first connection of the id. */
  connected(id: string): boolean
  /** Returns true if it was the last connection of the id. */
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
