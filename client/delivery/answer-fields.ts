import { type Bytes, fromBase64 } from '../bytes.ts'
import type { Json, JsonObject } from './transport.ts'

// Read the fields of an answer. They throw a `TypeError` where one is missing or of another type: the answer
// may be that of something on the way, such as a hotspot, so that nothing must follow from it.

export function textIn(object: JsonObject, name: string): string {
  const value = object[name]
  if (typeof value === 'string') return value
  throw misfit(name)
}

/** A count, an epoch or a sequence number. */
export function countIn(object: JsonObject, name: string): number {
  const value = object[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw misfit(name)
}

/** ATProto's JSON encoding of bytes: an object with base64 under `$bytes`. */
export function bytesIn(object: JsonObject, name: string): Bytes {
  const value = object[name]
  if (isObject(value)) return fromBase64(textIn(value, '$bytes'))
  throw misfit(name)
}

export function objectsIn(object: JsonObject, name: string): JsonObject[] {
  const value = object[name]
  if (Array.isArray(value) && value.every(isObject)) return value
  throw misfit(name)
}

export function textsIn(object: JsonObject, name: string): string[] {
  const value = object[name]
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value
  throw misfit(name)
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function misfit(name: string): TypeError {
  return new TypeError(`The service’s answer has no proper “${name}”.`)
}
