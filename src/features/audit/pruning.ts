import type { Keyring } from '../../platform/keyring.ts'
import { isSignedBy } from '../../platform/signing.ts'
import { type AuditSignature, signWithAuditKey } from './signature.ts'
import type { SignedPruning } from './store-checkpoints.ts'

/** The signed part of a pruning; the hash is that of the checkpoint it names. */
export type PruningFields = Pick<
  SignedPruning,
  'chain_position' | 'checkpoint' | 'chain_hash' | 'events_before' | 'created_at'
>

/** The text that a pruning's signature covers: the same on every engine and in every version. */
function textOf(fields: PruningFields): string {
  const { chain_position, checkpoint, chain_hash, events_before, created_at } = fields
  return [
    'mimir-audit-pruning:1',
    chain_position,
    checkpoint,
    chain_hash,
    events_before,
    created_at,
  ].join('\n')
}

export function signPruning(keyring: Keyring, fields: PruningFields): AuditSignature {
  return signWithAuditKey(keyring, textOf(fields))
}

/** Whether a trusted key signed that the log begins after this position. */
export function isPruningSigned(
  pruning: Omit<SignedPruning, 'key_id'>,
  trusted: ReadonlySet<string>,
): boolean {
  const { public_key, signature } = pruning
  return trusted.has(public_key) && isSignedBy(public_key, textOf(pruning), signature)
}
