import type { Database } from '../db/database.ts'
import { KeyFileError, type Keyring } from '../platform/keyring.ts'

/**
 * Throws `KeyFileError` if the store holds messages but there is no message key: the data directory lost
 * its keys, or is a second one on the same database. Silently making new keys would hide that.
 */
export async function requireMessageKeys({ read }: Database, keyring: Keyring): Promise<void> {
  if (keyring.has('message')) return
  const message = await read.selectFrom('messages').select('id').limit(1).executeTakeFirst()
  if (!message) return
  throw new KeyFileError(
    'the keys of the stored messages are missing: restore the keys folder of the data directory (MIMIR_ACCEPT_LOST_KEYS=true starts without them; old messages stay unreadable)',
  )
}
