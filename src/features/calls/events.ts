import type { AppEvent } from '../../events/event.ts'
import type { MissedCall } from './schema.ts'

/** Tells one side about their own entry. */
export function callMissed(tenantId: string, userId: string, entry: MissedCall): AppEvent {
  return {
    tenantId,
    audience: { kind: 'user', id: userId },
    name: 'CallMissed',
    subjectId: entry.id,
    payload: entry,
  }
}
