/**
 * Whether the bytes are exactly one MessagePack value. Strings and keys are not validated; the purpose is
 * that no header announces more than the bytes after it can hold.
 */
export function isOneValue(bytes: Uint8Array): boolean {
  let position = 0
  let values = 1
  while (values > 0) {
    // Every value takes at least one byte.
    if (values > bytes.length - position) return false
    const head = bytes[position] as number
    position += 1
    values -= 1
    if (head <= 0x7f || head >= 0xe0) continue
    if (head <= 0x8f) values += 2 * (head & 0x0f)
    else if (head <= 0x9f) values += head & 0x0f
    else if (head <= 0xbf) position += head & 0x1f
    else {
      const form = FORMS[head - 0xc0]
      if (form === undefined || form === 'invalid') return false
      const size = form.sizeBytes === 0 ? 0 : readSize(bytes, position, form.sizeBytes)
      if (size === undefined) return false
      position += form.sizeBytes + form.plus + size * form.bytesEach
      values += size * form.valuesEach
    }
  }
  return position === bytes.length
}

interface Form {
  /** Bytes of the size that follows the head. */
  readonly sizeBytes: number
  /** Bytes that follow in any case. */
  readonly plus: number
  readonly bytesEach: number
  readonly valuesEach: number
}

const fixed = (plus: number): Form => ({ sizeBytes: 0, plus, bytesEach: 0, valuesEach: 0 })
const sized = (sizeBytes: number, plus = 0): Form => ({
  sizeBytes,
  plus,
  bytesEach: 1,
  valuesEach: 0,
})
const holding = (sizeBytes: number, valuesEach: number): Form => ({
  sizeBytes,
  plus: 0,
  bytesEach: 0,
  valuesEach,
})

/** The formats 0xc0 to 0xdf of the MessagePack specification, in their order. */
const FORMS: readonly (Form | 'invalid')[] = [
  ...[fixed(0), 'invalid' as const, fixed(0), fixed(0)], // nil, never used, false, true
  ...[sized(1), sized(2), sized(4)], // bin
  ...[sized(1, 1), sized(2, 1), sized(4, 1)], // ext
  ...[fixed(4), fixed(8)], // float
  ...[fixed(1), fixed(2), fixed(4), fixed(8)], // uint
  ...[fixed(1), fixed(2), fixed(4), fixed(8)], // int
  ...[fixed(2), fixed(3), fixed(5), fixed(9), fixed(17)], // fixext
  ...[sized(1), sized(2), sized(4)], // str
  ...[holding(2, 1), holding(4, 1)], // array
  ...[holding(2, 2), holding(4, 2)], // map
]

function readSize(bytes: Uint8Array, start: number, count: number): number | undefined {
  if (start + count > bytes.length) return undefined
  let size = 0
  for (let index = start; index < start + count; index += 1) {
    size = size * 256 + (bytes[index] as number)
  }
  return size
}
