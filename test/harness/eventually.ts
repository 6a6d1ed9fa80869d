/** Only a broken test reaches it: a busy machine is slow, and no test measures time. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 5

/** Polls `look` until it returns something other than undefined, null or false; fails after a minute. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  failure: string,
): Promise<NonNullable<T>> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>
    if (Date.now() > end) throw new Error(`${failure} within ${PATIENCE_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
