import type { WireRecord } from './messages.ts'

/** Marks where in the backlog one transport ended and the next one began. */
export const RESUMED: unique symbol = Symbol('resumed')

/** What a client sent, not yet acted on. */
export type Waiting = WireRecord | typeof RESUMED

/** Records of one connection that wait for their turn, first in, first out. */
export class Backlog {
  /** Characters, or bytes, of all waiting records. */
  characters = 0
  private records: Waiting[] = []
  private head = 0

  get size(): number {
    return this.records.length - this.head
  }

  add(record: Waiting): void {
    this.records.push(record)
    this.characters += lengthOf(record)
  }

  take(): Waiting | undefined {
    const record = this.records[this.head]
    if (record === undefined) return undefined
    this.head += 1
    this.characters -= lengthOf(record)
    if (this.head === this.records.length) {
      this.records = []
      this.head = 0
    }
    return record
  }
}

function lengthOf(record: Waiting): number {
  return record === RESUMED ? 0 : record.length
}
