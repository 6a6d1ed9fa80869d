import { createHmac, hkdfSync } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import type { Db, Tx } from '../../db/database.ts'
import type { NodeVaultRow } from '../../db/tables.ts'
import { AppError } from '../../platform/errors.ts'
import { newSealingKey, open, openBytes, type SealingKey, seal } from '../../platform/secret-box.ts'
import type { UserActor } from '../../policy/actor.ts'
import { nodeErrors } from './errors.ts'
import type { Properties } from './schema.ts'
import { findVaultRow, insertVaultRow } from './store.ts'

/** 96 bits: among a million terms, two collide with a probability of about 10^-17. */
const TERM_BYTES = 12

/**
 * Seals the nodes of one owner with a key of the owner's own, which is stored sealed with the message key:
 * destroying that one row makes all of the nodes unreadable.
 */
export interface Vault {
  readonly tenantId: string
  readonly ownerId: string
  /** Seals properties to `row`, the context that they belong to: they decrypt with no other. */
  seal(row: string, properties: Properties): Buffer
  open(row: string, sealed: Uint8Array): Properties
  /** A word or value as stored in the index of terms: a keyed hash. */
  term(text: string): string
}

type Needs = Pick<Ctx, 'keyring'>

/** The owner's vault, or undefined until they have stored something. */
export function findVault(ctx: Needs, db: Db, me: UserActor): Promise<Vault | undefined> {
  return findVaultOf(ctx, db, me.userId)
}

export async function findVaultOf(ctx: Needs, db: Db, ownerId: string): Promise<Vault | undefined> {
  const row = await findVaultRow(db, ownerId)
  return row && vaultOf(row, openKey(ctx, row))
}

/** The vault of an owner who has stored something; throws `node_not_found` if there is none. */
export async function requireVault(ctx: Needs, db: Db, me: UserActor): Promise<Vault> {
  const vault = await findVault(ctx, db, me)
  if (!vault) throw new AppError(nodeErrors.nodeNotFound)
  return vault
}

/** The owner's vault; creates its key on first use. */
export async function openVault(ctx: Needs, tx: Tx, me: UserActor): Promise<Vault> {
  const found = await findVault(ctx, tx, me)
  if (found) return found
  const { keyId, bytes } = seal(
    ctx.keyring.current('message'),
    newSealingKey(),
    contextOf(me.userId),
  )
  // If two transactions create it concurrently, one key is kept.
  await insertVaultRow(tx, {
    owner_id: me.userId,
    tenant_id: me.tenantId,
    key_id: keyId,
    sealed: bytes,
    node_count: 0,
    bytes: 0,
  })
  const made = await findVault(ctx, tx, me)
  if (!made) throw new Error('the key of the nodes was not stored')
  return made
}

function contextOf(ownerId: string): string {
  return `node-vault:${ownerId}`
}

function openKey(ctx: Needs, row: NodeVaultRow): Buffer {
  const key = ctx.keyring.find('message', row.key_id)
  if (!key) throw new AppError(nodeErrors.keyLost)
  return openBytes(key, row.sealed, contextOf(row.owner_id))
}

function vaultOf({ tenant_id, owner_id }: NodeVaultRow, key: Buffer): Vault {
  const derive = (use: string) => Buffer.from(hkdfSync('sha256', key, '', use, 32))
  const sealing: SealingKey = { id: owner_id, key: derive('nodes') }
  const terms = derive('terms')
  return {
    tenantId: tenant_id,
    ownerId: owner_id,
    seal: (row, properties) => seal(sealing, JSON.stringify(properties), row).bytes,
    open: (row, sealed) => JSON.parse(open(sealing, sealed, row)),
    term: (text) =>
      createHmac('sha256', terms)
        .update(text)
        .digest()
        .subarray(0, TERM_BYTES)
        .toString('base64url'),
  }
}
