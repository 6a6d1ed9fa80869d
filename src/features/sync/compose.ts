import type { Ctx } from '../../context.ts'
import type { Composer, Reader } from '../../events/compose.ts'
import type { EventName } from '../../events/names.ts'
import { composers as accounts } from '../accounts/compose.ts'
import { composers as calls } from '../calls/compose.ts'
import { composers as conversations } from '../conversations/compose.ts'
import { composers as friends } from '../friends/compose.ts'
import { composers as messages } from '../messages/compose.ts'
import { composers as mls } from '../mls/compose.ts'
import { composers as pins } from '../pins/compose.ts'
import { composers as reactions } from '../reactions/compose.ts'
import { composers as sessions } from '../sessions/compose.ts'
import type { SyncPage } from './schema.ts'
import type { StoredEvent } from './visible-events.ts'

type Needs = Pick<Ctx, 'db' | 'keyring' | 'log' | 'clock'>

/** How each event's argument is rebuilt from its row. A feature adds its new events here. */
const composers: Readonly<Record<EventName, Composer<Needs>>> = {
  ...accounts,
  ...friends,
  ...sessions,
  ...conversations,
  ...messages,
  ...reactions,
  ...pins,
  ...calls,
  ...mls,
}

/**
 * A page of events with their arguments: one or two queries per event name, however many events there are.
 */
export async function composeEvents(
  ctx: Needs,
  reader: Reader,
  page: readonly StoredEvent[],
): Promise<SyncPage['events']> {
  const byName = Map.groupBy(page, (event) => event.name)
  const composed = new Map<StoredEvent, unknown>()
  for (const [name, events] of byName) {
    const data = await composers[name](ctx, reader, events)
    events.forEach((event, index) => {
      composed.set(event, data[index])
    })
  }
  return page.flatMap((event) => {
    const data = composed.get(event)
    return data === undefined ? [] : [{ type: event.name, data, seq: event.position }]
  })
}
