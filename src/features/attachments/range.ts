import { AppError } from '../../platform/errors.ts'
import { attachmentErrors } from './errors.ts'

/** Bytes from `start` (inclusive) to `end` (exclusive). */
export interface Range {
  readonly start: number
  readonly end: number
}

const ONE = /^(\d*)-(\d*)$/

/**
 * The single part of `size` bytes that a `Range` header asks for (RFC 9110 §14), or undefined if the whole
 * is to be sent: without the header, for units other than bytes, and for several parts. Throws
 * `range_not_satisfiable` if no part is valid and inside the file.
 */
export function parseRange(header: string | null, size: number): Range | undefined {
  const [, list] = /^\s*bytes\s*=(.*)$/i.exec(header ?? '') ?? []
  if (list === undefined) return undefined
  const parts = list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const ranges = parts.map((part) => parseOne(part, size))
  if (ranges.every((range) => range === undefined)) {
    throw new AppError(attachmentErrors.rangeNotSatisfiable, { size })
  }
  return ranges.length === 1 ? ranges[0] : undefined
}

function parseOne(part: string, size: number): Range | undefined {
  const [, first = '', last = ''] = ONE.exec(part) ?? []
  if (first === '' && last === '') return undefined
  // A suffix: the last so many bytes. More than the size means the whole.
  if (first === '') return inside({ start: Math.max(0, size - Number(last)), end: size }, size)
  if (last !== '' && Number(last) < Number(first)) return undefined
  const end = last === '' ? size : Math.min(size, Number(last) + 1)
  return inside({ start: Number(first), end }, size)
}

function inside(range: Range, size: number): Range | undefined {
  return range.start < range.end && range.start < size ? range : undefined
}
