import type { Ctx } from '../../context.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { isWithin } from '../../platform/networks.ts'
import type { Origin, UserActor } from '../../policy/actor.ts'
import { invalidToken, tokenExpired } from '../../policy/errors.ts'
import { recordAudit } from '../audit/service.ts'
import { addressesOf, scopesOf, statusOf } from './compose.ts'
import { idOfKey, isKeyOf } from './key-text.ts'
import { findKey, markUsed, type OwnedKeyRow } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'log'>

/** The key's owner as actor. All faults except expiry get the same error; the audit log has the true one. */
export async function authenticateKey(
  ctx: Needs,
  text: string,
  origin: Origin,
): Promise<UserActor> {
  const id = idOfKey(text)
  if (id === undefined) throw invalidToken({ reason: 'malformed_key' })
  const key = await findKey(ctx.db.read, id)
  if (!key) throw invalidToken({ reason: 'unknown_key' })
  const refuse = (reason: string) => ({ reason, targetType: 'api_key', targetId: id })
  if (!isKeyOf(key.secret_hash, text)) throw invalidToken(refuse('wrong_key'))
  const status = statusOf(key, toIso(ctx.clock.now()))
  if (status === 'revoked') throw invalidToken(refuse('revoked_key'))
  if (status === 'expired') throw tokenExpired(refuse('expired_key'))
  if (key.status !== 'Active') throw invalidToken(refuse('owner_not_active'))
  if (!isWithin(addressesOf(key), origin.ip)) throw invalidToken(refuse('foreign_address'))
  const actor = actorOf(key, origin)
  await noteUse(ctx, actor, key)
  return actor
}

/** Whether a connection's key is still valid. */
export async function isKeyActive(ctx: Pick<Ctx, 'db' | 'clock'>, id: string): Promise<boolean> {
  const key = await findKey(ctx.db.read, id)
  return key?.status === 'Active' && statusOf(key, toIso(ctx.clock.now())) === 'active'
}

function actorOf(key: OwnedKeyRow, origin: Origin): UserActor {
  return {
    kind: 'user',
    tenantId: key.tenant_id,
    userId: key.owner_id,
    username: key.username,
    role: key.role,
    credential: 'api-key',
    keyId: key.id,
    scopes: new Set(scopesOf(key)),
    hasDefaultScopes: key.scopes_named === 0,
    ...(key.expires_at === null ? {} : { validUntil: Date.parse(key.expires_at) }),
    origin,
  }
}

/** At most once a minute; the first use of a day is an audit event. A failure here refuses no request. */
async function noteUse(ctx: Needs, actor: UserActor, key: OwnedKeyRow): Promise<void> {
  const now = ctx.clock.now()
  const before = key.last_used_at
  const unless = toIso(now - MINUTE)
  if (before !== null && before >= unless) return
  const at = toIso(now)
  try {
    await ctx.db.transaction(async (tx) => {
      if (!(await markUsed(tx, key.id, at, unless))) return
      if (before?.slice(0, 10) === at.slice(0, 10)) return
      await recordAudit(ctx, tx, actor, {
        type: 'api_key.used',
        target: { type: 'api_key', id: key.id },
        details: { note: 'first use of the day' },
      })
    })
  } catch (error) {
    ctx.log.warn({ err: error, keyId: key.id }, 'the use of a key could not be recorded')
  }
}
