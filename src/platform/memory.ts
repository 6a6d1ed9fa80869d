/**
 * Gives the memory of bytes back at once, instead of when the collector comes by: for large buffers
 * that follow one another faster than it does. They must have a buffer of their own, which is empty
 * from then on; others are left alone.
 */
export function freeNow(bytes: Uint8Array): void {
  const { buffer } = bytes
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== bytes.byteLength) return
  try {
    buffer.transfer(0)
  } catch {
    // Some that native code made cannot be taken away from it.
  }
}

/**
 * Asks the runtime to collect garbage now: some tens of milliseconds, for a moment of quiet. Does
 * nothing on Node, which is not told unless it was started for it.
 */
export function collectGarbage(): void {
  const { Bun: bun } = globalThis as { Bun?: { gc(force: boolean): unknown } }
  bun?.gc(true)
}
