import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { ApiKeyRow, UserRow } from '../../db/tables.ts'
import { disconnectAfterCommit } from '../../events/append.ts'
import { DAY, toIso } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import type { Permission } from '../../policy/permissions.ts'
import { lockUser } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { managesAllKeys, maySeeKey } from './access.ts'
import { composeKey } from './compose.ts'
import { keyErrors } from './errors.ts'
import { makeKey } from './key-text.ts'
import { findOwner, permissionsOfOwner, type WantedOwner } from './owners.ts'
import type { ApiKey, CreateKey, KeyId, MadeKey } from './schema.ts'
import { scopesFor } from './scopes.ts'
import { countActiveKeys, findKey, insertKey, listKeyRows, markRevoked } from './store.ts'

export { isKeyActive } from './authenticate.ts'
export { permissionsOfOwner } from './owners.ts'

export type KeyNeeds = Pick<Ctx, 'db' | 'clock' | 'ids' | 'bus' | 'config' | 'access'>

const DEFAULT_DAYS = 90
const MAX_KEYS = 100

/** Creates a key. Only this response contains it: only its hash is stored. */
export async function createKey(
  ctx: KeyNeeds,
  actor: Actor,
  input: CreateKey & WantedOwner,
): Promise<MadeKey> {
  const expiresAt = expiryOf(ctx, actor, input.expiresInDays)
  return ctx.db.transaction(async (tx) => {
    const { owner, isNew } = await findOwner(ctx, tx, actor, input)
    const ownerMay = await permissionsOfOwner(ctx, tx, owner)
    const scopes = scopesFor(actor, ownerMay, input.scopes)
    const { name, addresses = [] } = input
    const made = await addKey(ctx, tx, actor, {
      owner,
      name,
      scopes,
      areScopesNamed: input.scopes !== undefined,
      addresses,
      expiresAt,
    })
    await recordAudit(ctx, tx, actor, {
      type: 'api_key.created',
      target: { type: 'api_key', id: made.id },
      details: { ownerId: owner.id, scopes: scopes.join(' '), expiresAt, newService: isNew },
    })
    return made
  })
}

interface NewKey {
  readonly owner: Pick<UserRow, 'id' | 'tenant_id' | 'username' | 'role' | 'status'>
  readonly name: string
  readonly scopes: readonly Permission[]
  readonly areScopesNamed: boolean
  readonly addresses: readonly string[]
  readonly expiresAt: string | null
}

/** Inserts the row of a new key. */
export async function addKey(
  ctx: KeyNeeds,
  tx: Tx,
  actor: Actor,
  { owner, name, scopes, areScopesNamed, addresses, expiresAt }: NewKey,
): Promise<MadeKey> {
  const now = toIso(ctx.clock.now())
  // One key at a time, so that each counts those before it.
  await lockUser(tx, owner.tenant_id, owner.id)
  if ((await countActiveKeys(tx, owner.id, now)) >= MAX_KEYS) {
    throw new AppError(keyErrors.tooMany, { max: MAX_KEYS })
  }
  const { id, text, hash } = makeKey()
  const row: ApiKeyRow = {
    id,
    tenant_id: owner.tenant_id,
    owner_id: owner.id,
    name,
    secret_hash: hash,
    scopes: JSON.stringify(scopes),
    scopes_named: areScopesNamed ? 1 : 0,
    addresses: JSON.stringify(addresses),
    created_by: actor.kind === 'user' ? actor.userId : null,
    created_at: now,
    expires_at: expiresAt,
    last_used_at: null,
    revoked_at: null,
    expiry_noted_at: null,
    successor_id: null,
  }
  await insertKey(tx, row)
  return { ...composeKey({ ...row, ...ownerOf(owner) }, now), key: text }
}

function ownerOf({ username, role, status }: NewKey['owner']) {
  return { username, role, status }
}

function expiryOf(
  { clock, config }: KeyNeeds,
  actor: Actor,
  days: number | null | undefined,
): string | null {
  const { apiKeyMaxDays } = config.access
  if (days === null) {
    if (managesAllKeys(actor)) return null
    throw new AppError(keyErrors.notYours)
  }
  const chosen = days ?? Math.min(DEFAULT_DAYS, apiKeyMaxDays)
  if (chosen > apiKeyMaxDays) throw new AppError(keyErrors.tooLong, { maxDays: apiKeyMaxDays })
  return toIso(clock.now() + chosen * DAY)
}

/** The caller's keys, or all keys for an administrator; newest first. */
export async function listKeys(ctx: Pick<Ctx, 'db' | 'clock'>, actor: Actor): Promise<ApiKey[]> {
  const ownerId = actor.kind === 'user' && !managesAllKeys(actor) ? actor.userId : undefined
  const now = toIso(ctx.clock.now())
  const rows = await listKeyRows(ctx.db.read, actor.tenantId, ownerId)
  return rows.map((row) => composeKey(row, now))
}

/** Revokes a key, and ends every connection that it opened. */
export async function revokeKey(ctx: KeyNeeds, actor: Actor, { id }: KeyId): Promise<ApiKey> {
  return ctx.db.transaction(async (tx) => {
    const key = await findKey(tx, id)
    if (!key || !maySeeKey(actor, key)) throw new AppError(commonErrors.notFound)
    const now = toIso(ctx.clock.now())
    if (!(await markRevoked(tx, id, now))) throw new AppError(keyErrors.notActive)
    const userId = key.owner_id
    disconnectAfterCommit(ctx, tx, { userId, keyId: id, reason: 'key_revoked' })
    await recordAudit(ctx, tx, actor, {
      type: 'api_key.revoked',
      target: { type: 'api_key', id },
      details: { ownerId: userId },
    })
    return composeKey({ ...key, revoked_at: now }, now)
  })
}
