import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

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

const { Bun: bun } = globalThis as { Bun?: { gc(force: boolean): unknown } }

/**
 * Asks the runtime to collect garbage now: some tens of milliseconds, for a moment of quiet. Does
 * nothing on Node, which gives the memory back to the system in its own time.
 */
export function collectGarbage(): void {
  bun?.gc(true)
}

type CollectYoung = (options: { readonly type: 'minor' }) => void
let collectYoung: CollectYoung | undefined

/**
 * On Node collects what was made lately, in about a millisecond: V8 lets 64 MiB of used buffers pile
 * up before it looks. Bun needs no word.
 */
export function collectRecent(): void {
  if (bun) return
  if (!collectYoung) {
    // A flag, and a context made under it, are how a running program gets at V8's collector.
    setFlagsFromString('--expose-gc')
    collectYoung = runInNewContext('gc') as CollectYoung
  }
  collectYoung({ type: 'minor' })
}
