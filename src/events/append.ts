import { afterCommit, type Tx } from '../db/database.ts'
import { preparedForMany } from '../db/prepared.ts'
import { type Clock, toIso } from '../platform/clock.ts'
import type { Bus } from './bus.ts'
import type { AppEvent, Disconnect } from './event.ts'

interface NewEventRow {
  tenant_id: string
  audience_id: string
  name: string
  subject_id: string
  created_at: string
}

const insertEvents = preparedForMany<NewEventRow, never>((db, rows) =>
  db.insertInto('events').values(rows),
)

/**
 * Inserts the events in the caller's transaction and, once that is durable, publishes them with their
 * payloads to live connections: there is no delivery without a row, nor the reverse.
 */
export async function appendEvents(
  ctx: { readonly bus: Bus; readonly clock: Clock },
  tx: Tx,
  events: readonly AppEvent[],
): Promise<void> {
  const createdAt = toIso(ctx.clock.now())
  await insertEvents(
    tx,
    events.map((event) => ({
      tenant_id: event.tenantId,
      audience_id: event.audience.id,
      name: event.name,
      subject_id: event.subjectId,
      created_at: createdAt,
    })),
  )
  afterCommit(tx, () => ctx.bus.publish(events))
}

/** Ends live connections once the transaction that revoked their access is durable. */
export function disconnectAfterCommit(ctx: { readonly bus: Bus }, tx: Tx, order: Disconnect): void {
  afterCommit(tx, () => ctx.bus.disconnect(order))
}
