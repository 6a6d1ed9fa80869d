import { type EventPlace, isAfter } from '../../db/engine.ts'
import type { EventLog } from '../../events/store.ts'
import { AppError } from '../../platform/errors.ts'
import { syncErrors } from './errors.ts'

/** A device's position: a place among the events of one generation of the store. */
export interface Cursor {
  readonly generation: string
  readonly place: EventPlace
}

/** Whether events behind the cursor are gone from the log, or the log is another one. */
export function isOutdated({ generation, place }: Cursor, log: EventLog): boolean {
  return generation !== log.generation || isAfter(log.pruned, place)
}

export function writeCursor({ generation, place }: Cursor): string {
  const parts = [generation, place.writer, place.position]
  return Buffer.from(parts.join(' ')).toString('base64url')
}

/** Throws `invalid_cursor` for text that this server did not write. */
export function readCursor(text: string): Cursor {
  const decoded = Buffer.from(text, 'base64url').toString()
  const match = /^([0-9a-f-]{36}) (\d{1,20}) (\d{1,15})$/.exec(decoded)
  const [, generation = '', writer = '', position] = match ?? []
  // The greatest transaction id of PostgreSQL is 2^64 - 1.
  if (!match || BigInt(writer) >= 2n ** 64n) throw new AppError(syncErrors.invalidCursor)
  return { generation, place: { writer, position: Number(position) } }
}
