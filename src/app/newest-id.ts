import type { Database } from '../db/database.ts'
import { type Clock, DAY } from '../platform/clock.ts'
import { timeOfId } from '../platform/ids.ts'

/**
 * The time (ms) just after the newest message or audit event, so that new ids sort after it even if the
 * clock was set back. A time more than a day ahead came from a wrong clock and is ignored; 0 if none is
 * left.
 */
export async function newestIdTime({ read }: Database, clock: Clock): Promise<number> {
  const message = await read
    .selectFrom('messages')
    .select((select) => select.fn.max('id').as('id'))
    .executeTakeFirst()
  const event = await read
    .selectFrom('audit_events')
    .select((select) => select.fn.max('id').as('id'))
    .executeTakeFirst()
  // Plus 1 ms: ids that two processes make within the same millisecond have no order.
  const times = [message?.id, event?.id].map((id) => (id ? timeOfId(id) + 1 : 0))
  return Math.max(...times.map((time) => (time <= clock.now() + DAY ? time : 0)))
}
