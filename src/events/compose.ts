import type { EventName } from './names.ts'

/** An event as stored in its row. */
export interface EventRef {
  readonly name: EventName
  readonly audienceId: string
  readonly subjectId: string
}

/** The person who reads the events: some arguments depend on it. */
export interface Reader {
  readonly userId: string
  readonly tenantId: string
}

/**
 * Builds the arguments of many events of one name at once, in order; undefined for an event whose subject
 * no longer exists. Live delivery does not use it: it passes on the payload that the use case built.
 */
export type Composer<C> = (
  ctx: C,
  reader: Reader,
  events: readonly EventRef[],
) => Promise<readonly unknown[]>

/** By event name; each slice provides those of its own events. */
export type Composers<C> = Readonly<Partial<Record<EventName, Composer<C>>>>

/** Makes a composer that loads all subjects in one lookup. `keyOf` returns the key of an event's subject. */
export function composeEach<C, S>(
  load: (ctx: C, keys: readonly string[], reader: Reader) => Promise<ReadonlyMap<string, S>>,
  argumentOf: (subject: S, event: EventRef) => unknown,
  keyOf: (event: EventRef) => string = (event) => event.subjectId,
): Composer<C> {
  return async (ctx, reader, events) => {
    const subjects = await load(ctx, [...new Set(events.map(keyOf))], reader)
    return events.map((event) => {
      const subject = subjects.get(keyOf(event))
      return subject === undefined ? undefined : (argumentOf(subject, event) ?? undefined)
    })
  }
}
