import type { Permission } from '../../policy/permissions.ts'
import type { ApiKey } from './schema.ts'
import type { OwnedKeyRow } from './store.ts'

export function composeKey(row: OwnedKeyRow, now: string): ApiKey {
  return {
    id: row.id,
    name: row.name,
    owner: { id: row.owner_id, username: row.username, isService: row.role === 'service' },
    scopes: scopesOf(row),
    addresses: addressesOf(row),
    status: statusOf(row, now),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    successorId: row.successor_id,
  }
}

export function scopesOf({ scopes }: Pick<OwnedKeyRow, 'scopes'>): Permission[] {
  return JSON.parse(scopes)
}

export function addressesOf({ addresses }: Pick<OwnedKeyRow, 'addresses'>): string[] {
  return JSON.parse(addresses)
}

export function statusOf(
  { revoked_at, expires_at }: Pick<OwnedKeyRow, 'revoked_at' | 'expires_at'>,
  now: string,
): ApiKey['status'] {
  if (revoked_at !== null) return 'revoked'
  return expires_at !== null && expires_at <= now ? 'expired' : 'active'
}
