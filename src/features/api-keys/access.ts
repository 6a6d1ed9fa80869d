import type { Actor } from '../../policy/actor.ts'
import { isAdminRole } from '../../policy/permissions.ts'
import type { OwnedKeyRow } from './store.ts'

export { listKeysUsedSince } from './store.ts'
export { countEndedBefore, deleteEndedBefore } from './store-retention.ts'

/** Whether the caller sees, makes and ends the keys of others: administrators do. */
export function managesAllKeys(actor: Actor): boolean {
  return actor.kind === 'operator' || (actor.kind === 'user' && isAdminRole(actor.role))
}

export function maySeeKey(actor: Actor, key: OwnedKeyRow): boolean {
  return key.tenant_id === actor.tenantId && (isOwner(actor, key) || managesAllKeys(actor))
}

/** A new key of another person's would be a way to act as them: nobody gets one but they. */
export function mayRotateKey(actor: Actor, key: OwnedKeyRow): boolean {
  if (!maySeeKey(actor, key)) return false
  return actor.kind === 'operator' || isOwner(actor, key) || key.role === 'service'
}

function isOwner(actor: Actor, key: OwnedKeyRow): boolean {
  return actor.kind === 'user' && actor.userId === key.owner_id
}
