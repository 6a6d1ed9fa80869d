/** Recently active sessions, kept in memory and written to the database periodically. */
export interface SessionActivity {
  seen(sessionId: string): void
  /** Returns the sessions seen since the previous call. */
  drain(): string[]
}

export function createSessionActivity(): SessionActivity {
  let seen = new Set<string>()
  return {
    seen: (sessionId) => void seen.add(sessionId),
    drain() {
      const drained = [...seen]
      seen = new Set()
      return drained
    },
  }
}
