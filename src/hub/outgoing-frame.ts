import type { WireRecord } from './messages.ts'

/** The records of the next frame: all of them text, or all bytes. */
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

  /** Returns the frame, which must not be empty, and starts the next one. */
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
