import type { UserRow } from '../../db/tables.ts'
import type { Ids } from '../../platform/ids.ts'
import type { UserActor } from '../../policy/actor.ts'

/** An account as the actor: the server that asks, or the administrator who approved. */
export function actorOf(user: UserRow, ids: Ids, operation: string): UserActor {
  return {
    kind: 'user',
    tenantId: user.tenant_id,
    userId: user.id,
    username: user.username,
    role: user.role,
    origin: { requestId: ids.next(), operation },
  }
}
