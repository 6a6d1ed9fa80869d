import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Frees the memory of the bytes at once instead of at the next collection: for large buffers that follow
 * one another faster than the collector runs. The bytes must span their whole ArrayBuffer, which is
 * empty afterwards; others are left alone.
 */
export function freeNow(bytes: Uint8Array): void {
  const { buffer } = bytes
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== bytes.byteLength) return
  try {
    buffer.transfer(0)
  } catch {
    // Some buffers made by native code cannot be detached.
  }
}

const { Bun: bun } = globalThis as { Bun?: { gc(force: boolean): unknown } }

/**
 * Runs a garbage collection, which takes some tens of milliseconds: for idle moments. Does nothing on
 * Node, which returns memory to the system by itself.
 */
export function collectGarbage(): void {
  bun?.gc(true)
}

type CollectYoung = (options: { readonly type: 'minor' }) => void
let collectYoung: CollectYoung | undefined

/**
 * On Node, collects the young generation in about a millisecond: V8 lets 64 MiB of used buffers pile up
 * before it does so. Not needed on Bun.
 */
export function collectRecent(): void {
  if (bun) return
  if (!collectYoung) {
    // A running program reaches V8's collector only through a context created under this flag.
    setFlagsFromString('--expose-gc')
    collectYoung = runInNewContext('gc') as CollectYoung
  }
  collectYoung({ type: 'minor' })
}
