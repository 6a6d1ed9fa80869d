import type { Ctx } from '../../context.ts'
import type { AuditCheckpointRow } from '../../db/tables.ts'
import { HOUR, toIso } from '../../platform/clock.ts'
import { createSigner, isSignedBy } from '../../platform/signing.ts'
import { signWithAuditKey } from './signature.ts'
import { newestLink } from './store.ts'
import { insertCheckpoint, newestCheckpoint } from './store-checkpoints.ts'

/** How old the last signature may become before the chain is signed again. */
const EVERY = HOUR

/** The part of a checkpoint that is signed. */
export type CheckpointFields = Pick<
  AuditCheckpointRow,
  'sequence' | 'chain_position' | 'chain_hash' | 'created_at' | 'previous'
>

/** The text that a checkpoint's signature covers: the same on every engine and in every version. */
function textOf(fields: CheckpointFields): string {
  const { sequence, chain_position, chain_hash, created_at, previous } = fields
  return [
    'mimir-audit-checkpoint:1',
    sequence,
    chain_position,
    chain_hash,
    created_at,
    previous,
  ].join('\n')
}

/**
 * Signs the head of the chain if the last signature is an hour old, or immediately with `atOnce`. Does
 * nothing if nothing was linked since. Returns whether it signed.
 */
export async function makeCheckpoint(
  ctx: Pick<Ctx, 'db' | 'clock' | 'keyring'>,
  { atOnce = false } = {},
): Promise<boolean> {
  const last = await newestCheckpoint(ctx.db.read)
  const age = last ? ctx.clock.now() - Date.parse(last.created_at) : Number.POSITIVE_INFINITY
  // A clock that was set back must not delay the signatures.
  if (!atOnce && age >= 0 && age < EVERY) return false
  return ctx.db.transaction(async (tx) => {
    await ctx.db.engine.lockAuditChain(tx)
    const head = await newestLink(tx)
    const before = await newestCheckpoint(tx)
    if (!head || head.position === before?.chain_position) return false
    const fields: CheckpointFields = {
      sequence: (before?.sequence ?? 0) + 1,
      chain_position: head.position,
      chain_hash: head.hash,
      created_at: toIso(ctx.clock.now()),
      previous: before?.signature ?? '',
    }
    await insertCheckpoint(tx, { ...fields, ...signWithAuditKey(ctx.keyring, textOf(fields)) })
    return true
  })
}

/** Whether the checkpoint's signature is valid for its public key. */
export function isSigned(
  checkpoint: CheckpointFields & Pick<AuditCheckpointRow, 'public_key' | 'signature'>,
): boolean {
  return isSignedBy(checkpoint.public_key, textOf(checkpoint), checkpoint.signature)
}

/** The public keys, in base64url, that verify this server's checkpoints. */
export function trustedKeys(ctx: Pick<Ctx, 'keyring'>): ReadonlySet<string> {
  const keys = ctx.keyring.all().filter((key) => key.purpose === 'audit')
  return new Set(keys.map((key) => createSigner(key.key).publicKey))
}
