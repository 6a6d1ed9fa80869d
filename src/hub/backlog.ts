/** Records of one connection that wait for their turn, first in, first out. */
export class Backlog {
  /** Characters of all waiting records. */
  characters = 0
  private records: string[] = []
  private head = 0

  get size(): number {
    return this.records.length - this.head
  }

  add(record: string): void {
    this.records.push(record)
    this.characters += record.length
  }

  take(): string | undefined {
    const record = this.records[this.head]
    if (record === undefined) return undefined
    this.head += 1
    this.characters -= record.length
    if (this.head === this.records.length) {
      this.records = []
      this.head = 0
    }
    return record
  }
}
