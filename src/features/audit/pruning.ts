import type { Keyring } from '../../platform/keyring.ts'
import { createSigner, isSignedBy } from '../../platform/signing.ts'
import type { SignedPruning } from './store-checkpoints.ts'

/** The part of a pruning that is signed; the hash is that of the checkpoint that it names. */
export type PruningFields = Pick<
  SignedPruning,
  'chain_position' | 'checkpoint' | 'chain_hash' | 'events_before' | 'created_at'
>

/** The text under a pruning's signature: the same on every engine and in every version. */
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

export function signPruning(
  keyring: Keyring,
  fields: PruningFields,
): Pick<SignedPruning, 'key_id' | 'public_key' | 'signature'> {
  const key = keyring.current('audit')
  const signer = createSigner(key.key)
  return { key_id: key.id, public_key: signer.publicKey, signature: signer.sign(textOf(fields)) }
}

/** Whether one of the trusted keys signed that the log begins behind this place. */
export function isPruningSigned(
  pruning: Omit<SignedPruning, 'key_id'>,
  trusted: ReadonlySet<string>,
): boolean {
  const { public_key, signature } = pruning
  return trusted.has(public_key) && isSignedBy(public_key, textOf(pruning), signature)
}
