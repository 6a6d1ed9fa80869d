/** Which sessions did something lately: kept in memory, and written down now and then. */
export interface SessionActivity {
  seen(sessionId: string): void
  /** Those that were seen since the last time that was asked. */
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
