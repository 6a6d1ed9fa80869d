import type { Actor } from '../../policy/actor.ts'
import { isAdminRole } from '../../policy/permissions.ts'
import type { OwnedKeyRow } from './store.ts'

export { listKeysUsedSince } from './store.ts'
export { countEndedBefore, deleteEndedBefore } from './store-retention.ts'

/** Whether the caller may see, create and revoke the keys of others, as administrators may. */
export function managesAllKeys(actor: Actor): boolean {
  return actor.kind === 'operator' || (actor.kind === 'user' && isAdminRole(actor.role))
}

export function maySeeKey(actor: Actor, key: OwnedKeyRow): boolean {
  return key.tenant_id === actor.tenantId && (isOwner(actor, key) || managesAllKeys(actor))
}

/** A new key for another person would be a way to act as them: only they can get one. */
export function mayRotateKey(actor: Actor, key: OwnedKeyRow): boolean {
  if (!maySeeKey(actor, key)) return false
  return actor.kind === 'operator' || isOwner(actor, key) || key.role === 'service'
}

function isOwner(actor: Actor, key: OwnedKeyRow): boolean {
  return actor.kind === 'user' && actor.userId === key.owner_id
}
