import type { EventName } from './names.ts'

/** An event as its row names it. */
export interface EventRef {
  readonly name: EventName
  readonly audienceId: string
  readonly subjectId: string
}

/** Who reads the events: some arguments depend on it. */
export interface Reader {
  readonly userId: string
  readonly tenantId: string
}

/**
 * Makes the arguments of many events of one name at once, in their order; undefined for one whose
 * subject is gone. The live path needs none: it hands along what the use case composed.
 */
export type Composer<C> = (
  ctx: C,
  reader: Reader,
  events: readonly EventRef[],
) => Promise<readonly unknown[]>

/** By the name of the event; a slice has those of its own. */
export type Composers<C> = Readonly<Partial<Record<EventName, Composer<C>>>>

/** A composer over a look-up of all subjects in one go. `keyOf` names the subject of an event. */
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
