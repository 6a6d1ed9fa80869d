const DEADLINE_MS = 4000
const PAUSE_MS = 5

/** Polls `look` until it returns something other than undefined, null or false; fails after four seconds. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  failure: string,
  deadlineMs = DEADLINE_MS,
): Promise<NonNullable<T>> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>
    if (Date.now() > end) throw new Error(`${failure} within ${deadlineMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
