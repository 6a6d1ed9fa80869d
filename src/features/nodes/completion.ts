import { toIso } from '../../platform/clock.ts'
import type { Properties } from './schema.ts'
import { TODO, TODO_LIST } from './schema-todos.ts'

/**
 * When a TODO was completed or a list archived, as its properties say, else now; null while it is open and
 * for every other type. Retention counts from this time, so a time in the future is replaced by now.
 */
export function completionOf(type: string, properties: Properties, now: number): string | null {
  if (type === TODO && properties.status === 'completed') return past(properties.completed_at, now)
  if (type === TODO_LIST && properties.archived === true) return past(properties.archived_at, now)
  return null
}

function past(said: unknown, now: number): string {
  const time = typeof said === 'string' ? Date.parse(said) : Number.NaN
  return toIso(time <= now ? time : now)
}
