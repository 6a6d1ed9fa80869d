import type { Appliance } from './boot.ts'
import type { Rest } from './rest.ts'

/** A key as the command line creates it. */
export interface TestKey {
  readonly id: string
  readonly key: string
  readonly ownerId: string
  readonly expiresAt: string | null
}

/** Creates a key for a service with that name; `input` overrides the command's fields. */
export async function makeKey(
  mimir: Appliance,
  name: string,
  input: Record<string, unknown> = {},
): Promise<TestKey> {
  const made = await mimir.command('apikey.create', { name, ...input })
  return { id: made.id, key: made.key, ownerId: made.owner.id, expiresAt: made.expiresAt }
}

/** A REST client that sends the key in X-Api-Key. */
export function byKey(mimir: Appliance, key: string): Rest {
  return mimir.rest().with({ 'x-api-key': key })
}

/** The audit events of a type, oldest first. */
export async function auditOf(mimir: Appliance, type: string) {
  const events = await mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .selectAll()
    .where('type', '=', type)
    .orderBy('id')
    .execute()
  return events.map((event) => ({ ...event, details: JSON.parse(event.details) }))
}
