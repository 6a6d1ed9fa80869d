import { HOUR, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { mayUse } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { mayRotateKey, maySeeKey } from './access.ts'
import { addressesOf, scopesOf, statusOf } from './compose.ts'
import { keyErrors } from './errors.ts'
import type { RotatedKey, RotateKey } from './schema.ts'
import { addKey, type KeyNeeds } from './service.ts'
import { findKey, markRotated, type OwnedKeyRow } from './store.ts'

/**
 * Creates a key to replace another: same owner, scopes and addresses, and the same lifetime. The old one
 * stays valid for the overlap, so that its users can be switched over one by one.
 */
export async function rotateKey(
  ctx: KeyNeeds,
  actor: Actor,
  { id, overlapHours }: RotateKey,
): Promise<RotatedKey> {
  return ctx.db.transaction(async (tx) => {
    const old = await findKey(tx, id)
    if (!old || !maySeeKey(actor, old)) throw new AppError(commonErrors.notFound)
    if (!mayRotateKey(actor, old)) throw new AppError(keyErrors.notYours)
    const now = ctx.clock.now()
    if (statusOf(old, toIso(now)) !== 'active') throw new AppError(keyErrors.notActive)
    if (old.status !== 'Active') throw new AppError(keyErrors.ownerNotActive)
    const scopes = scopesOf(old)
    const beyond = scopes.filter((scope) => !mayUse(actor, scope))
    if (beyond.length > 0) throw new AppError(keyErrors.scopesTooWide, { scopes: beyond })
    const made = await addKey(ctx, tx, actor, {
      owner: { ...old, id: old.owner_id },
      name: old.name,
      scopes,
      areScopesNamed: old.scopes_named === 1,
      addresses: addressesOf(old),
      expiresAt: successorExpiry(old, now),
    })
    const end = toIso(now + overlapHours * HOUR)
    const expiresAt = old.expires_at !== null && old.expires_at < end ? old.expires_at : end
    const change = { successor_id: made.id, expires_at: expiresAt }
    if (!(await markRotated(tx, id, change, toIso(now)))) throw new AppError(keyErrors.notActive)
    await recordAudit(ctx, tx, actor, {
      type: 'api_key.rotated',
      target: { type: 'api_key', id },
      details: { ownerId: old.owner_id, successorId: made.id, expiresAt },
    })
    return { ...made, previous: { id, expiresAt } }
  })
}

function successorExpiry({ created_at, expires_at }: OwnedKeyRow, now: number): string | null {
  if (expires_at === null) return null
  return toIso(now + Date.parse(expires_at) - Date.parse(created_at))
}
