import { RecordTooLarge } from './framing.ts'
import type { FrameReader, WireRecord } from './messages.ts'
import { MalformedRecord } from './messages.ts'

/** A length prefix of more bytes than this exceeds any record. */
const MAX_LENGTH_BYTES = 5

/** Prefixes the payload with its length as a VarInt (TransportProtocols, "Binary encoding"). */
export function withLength(payload: Uint8Array): Uint8Array {
  const length: number[] = []
  let left = payload.length
  do {
    const part = left & 0x7f
    left >>>= 7
    length.push(left > 0 ? part | 0x80 : part)
  } while (left > 0)
  const record = new Uint8Array(length.length + payload.length)
  record.set(length)
  record.set(payload, length.length)
  return record
}

/** Cuts one transport's binary frames into payloads; the counterpart of `RecordReader`. */
export class BinaryReader implements FrameReader {
  private readonly maxBytes: number
  private tail: Uint8Array | undefined

  /** `maxBytes` bounds a payload. */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  read(frame: WireRecord): Uint8Array[] {
    if (typeof frame === 'string') throw new MalformedRecord('Text frames are not supported.')
    const bytes = this.tail === undefined ? frame : joined(this.tail, frame)
    const payloads: Uint8Array[] = []
    let start = 0
    for (;;) {
      const head = readLength(bytes, start)
      if (head !== undefined && head.length > this.maxBytes) throw new RecordTooLarge()
      if (head === undefined || head.start + head.length > bytes.length) break
      payloads.push(bytes.subarray(head.start, head.start + head.length))
      start = head.start + head.length
    }
    // A copy, so that the tail does not keep the whole frame in memory.
    this.tail = start < bytes.length ? bytes.slice(start) : undefined
    return payloads
  }
}

/** Reads the length at `position` and where its payload starts; undefined while it is cut off. */
function readLength(bytes: Uint8Array, position: number) {
  let length = 0
  for (let index = 0; index < MAX_LENGTH_BYTES; index += 1) {
    const byte = bytes[position + index]
    if (byte === undefined) return undefined
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return { length, start: position + index + 1 }
  }
  throw new RecordTooLarge()
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
