import type { WireRecord } from './messages.ts'

/** The records that go out with the next frame. All of them are text, or all are bytes. */
export class OutgoingFrame {
  /** Characters or bytes. */
  length = 0
  private text = ''
  private parts: Uint8Array[] | undefined

  add(record: WireRecord): void {
    this.length += record.length
    if (typeof record === 'string') this.text += record
    else if (this.parts === undefined) this.parts = [record]
    else this.parts.push(record)
  }

  /** The whole frame, which is not empty; what is added from now on belongs to the next. */
  take(): WireRecord {
    const frame = this.parts === undefined ? this.text : Buffer.concat(this.parts, this.length)
    this.clear()
    return frame
  }

  clear(): void {
    this.length = 0
    this.text = ''
    this.parts = undefined
  }
}
