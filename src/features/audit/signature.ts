import type { AuditCheckpointRow } from '../../db/tables.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { createSigner } from '../../platform/signing.ts'

export type AuditSignature = Pick<AuditCheckpointRow, 'key_id' | 'public_key' | 'signature'>

/** Signs the text with the current audit key, and names the key. */
export function signWithAuditKey(keyring: Keyring, text: string): AuditSignature {
  const key = keyring.current('audit')
  const signer = createSigner(key.key)
  return { key_id: key.id, public_key: signer.publicKey, signature: signer.sign(text) }
}
