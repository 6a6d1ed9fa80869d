import type { FrameReader, WireRecord } from './messages.ts'
import { MalformedRecord } from './messages.ts'

/** Ends every record of the SignalR text formats (TransportProtocols, "Text-based encoding"). */
export const RECORD_SEPARATOR = '\x1e'

/** A record, or the start of one, that exceeds the size limit. */
export class RecordTooLarge extends MalformedRecord {
  constructor() {
    super('A record is too large.')
  }
}

/**
 * Cuts one connection's text frames into records. A record may span frames and a frame may hold
 * many records; an unterminated tail waits for the next frame.
 */
export class RecordReader implements FrameReader {
  private readonly maxBytes: number
  private tail = ''
  private tailBytes = 0

  /** `maxBytes` bounds a record, and the kept tail, in bytes of UTF-8 without the separator. */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** The records that this frame completes, in order. Throws MalformedRecord. */
  read(frame: WireRecord): string[] {
    if (typeof frame !== 'string') throw new MalformedRecord('Binary frames are not supported.')
    const records: string[] = []
    let start = 0
    let end = frame.indexOf(RECORD_SEPARATOR)
    while (end !== -1) {
      const piece = frame.slice(start, end)
      this.check(piece)
      records.push(this.tail + piece)
      this.tail = ''
      this.tailBytes = 0
      start = end + 1
      end = frame.indexOf(RECORD_SEPARATOR, start)
    }
    if (start < frame.length) this.keep(frame.slice(start))
    return records
  }

  private keep(piece: string): void {
    this.tailBytes += this.check(piece)
    this.tail += piece
  }

  /** Returns the size of a piece in bytes; throws if it is too large together with the tail. */
  private check(piece: string): number {
    const bytes = Buffer.byteLength(piece)
    if (this.tailBytes + bytes > this.maxBytes) throw new RecordTooLarge()
    return bytes
  }
}
