import type { Bytes } from '../bytes.ts'

/** A value under a key, or `undefined` to take it away. */
export type Change = readonly [key: string, value: Uint8Array | undefined]

/**
 * Where a device keeps its keys, groups and messages. What makes the library safe against a crash
 * is asked of the store: `write` is atomic and resolves only when all of it survives one.
 */
export interface Store {
  read(key: string): Promise<Bytes | undefined>
  /** Keys that begin with `prefix`, in the order of their characters' code points. */
  keys(prefix: string): Promise<string[]>
  /** All changes or none of them. */
  write(changes: readonly Change[]): Promise<void>
  close(): Promise<void>
}
