import type { Database } from '../db/database.ts'
import { type Clock, DAY } from '../platform/clock.ts'
import { timeOfId } from '../platform/ids.ts'

/**
 * The time behind the newest message or audit event, so that ids go on from there when the clock was set
 * back. One from more than a day ahead was made by a clock gone wild, and is not followed: 0.
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
  // A millisecond on: within one, ids of two processes have no order.
  const times = [message?.id, event?.id].map((id) => (id ? timeOfId(id) + 1 : 0))
  return Math.max(...times.map((time) => (time <= clock.now() + DAY ? time : 0)))
}
