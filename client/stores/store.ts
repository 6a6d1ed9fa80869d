import type { Bytes } from '../bytes.ts'

/** A key and its new value; `undefined` deletes it. */
export type Change = readonly [key: string, value: Uint8Array | undefined]

/**
 * Where a device keeps its keys, groups and messages. The library's crash safety rests on the store:
 * `write` must be atomic and resolve only when all changes are durable.
 */
export interface Store {
  read(key: string): Promise<Bytes | undefined>
  /** Keys that begin with `prefix`, sorted by code point. */
  keys(prefix: string): Promise<string[]>
  /** Writes all of the changes or none of them. */
  write(changes: readonly Change[]): Promise<void>
  close(): Promise<void>
}
