/** The bytes are not encoded as RFC 9420 requires. */
export class MalformedError extends Error {}

/**
 * Reads the TLS presentation language as RFC 9420 §2.1 uses it; throws `MalformedError` rather than read
 * past the end. Vectors are returned as views of the bytes, not as copies.
 */
export class TlsReader {
  readonly #bytes: Buffer
  #at = 0
  /** The end of the bytes, or of the vector whose items are being read. */
  #end: number

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.byteLength
  }

  /** The number of bytes read so far. */
  get position(): number {
    return this.#at
  }

  /** The bytes read since a position. */
  since(position: number): Buffer {
    return this.#bytes.subarray(position, this.#at)
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#take(1))
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4))
  }

  /** Not exact above 2^53; no epoch or time that is accepted is that large. */
  uint64(): number {
    return this.uint32() * 2 ** 32 + this.uint32()
  }

  /** Throws `MalformedError` if the value is not one of the enum's. */
  oneOf<const T extends number>(value: number, values: readonly T[]): T {
    const known = values.find((one) => one === value)
    if (known === undefined) throw new MalformedError('unknown value of an enum')
    return known
  }

  vector(): Buffer {
    const length = this.#length()
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  skipVector(): void {
    this.#take(this.#length())
  }

  /** Reads the items of a vector, which must have exactly its length together. */
  items<T>(read: () => T): T[] {
    const length = this.#length()
    const outer = this.#end
    this.#end = this.#at + length
    if (this.#end > outer) throw new MalformedError('a vector is longer than what it is in')
    const items: T[] = []
    while (this.#at < this.#end) items.push(read())
    this.#end = outer
    return items
  }

  /** §2.1.1: a presence octet of 0 or 1, and the value if it is 1. */
  optional<T>(read: () => T): T | undefined {
    return this.oneOf(this.uint8(), [0, 1]) === 1 ? read() : undefined
  }

  /** Throws `MalformedError` if bytes are left over. */
  finish(): void {
    if (this.#at !== this.#end) throw new MalformedError('bytes are left over')
  }

  /**
   * §2.1.2: the length of a vector in 1, 2 or 4 bytes; the upper two bits say how many (RFC 9000 §16). The
   * 8-byte form is not allowed, nor is a longer form than necessary.
   */
  #length(): number {
    const first = this.uint8()
    const low = first & 0x3f
    switch (first >> 6) {
      case 0:
        return low
      case 1:
        return this.#atLeast(64, low * 2 ** 8 + this.uint8())
      case 2:
        return this.#atLeast(2 ** 14, low * 2 ** 24 + this.uint8() * 2 ** 16 + this.uint16())
      default:
        throw new MalformedError('a length of 8 bytes')
    }
  }

  #atLeast(least: number, length: number): number {
    if (length < least) throw new MalformedError('a length is not in its shortest form')
    return length
  }

  /** Skips `length` bytes and returns where they begin. */
  #take(length: number): number {
    const start = this.#at
    if (length > this.#end - start) throw new MalformedError('it ends too early')
    this.#at = start + length
    return start
  }
}

/** Decodes bytes that `read` must consume entirely; undefined if they are malformed. */
export function readWhole<T>(bytes: Uint8Array, read: (reader: TlsReader) => T): T | undefined {
  const reader = new TlsReader(bytes)
  try {
    const value = read(reader)
    reader.finish()
    return value
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}
