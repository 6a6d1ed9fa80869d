import { asBytes, type Bytes, fromBase64, fromUtf8, toBase64, utf8 } from '../bytes.ts'
import type { PersonSecret } from '../people/secret.ts'
import { openSealed, seal } from '../stores/sealed.ts'
import type { Store } from '../stores/store.ts'

const PLACE = 'mimir-mls 1 archive'
const HISTORY = /^group\/[0-9a-f]+\/history\/\d+$/

/**
 * Everything that this device has read, sealed with a key derived from the person's secret. Group keys
 * are left out, because restoring an old copy of them would be unsafe.
 */
export async function exportArchive(store: Store, secret: PersonSecret): Promise<Bytes> {
  const keys = (await store.keys('group/')).filter((key) => HISTORY.test(key))
  const entries: [string, string][] = []
  for (const key of keys) {
    const value = await store.read(key)
    if (value) entries.push([key, toBase64(value)])
  }
  return seal(await secret.archiveKey(), utf8(JSON.stringify(entries)), PLACE)
}

/** Adds the entries that the store lacks. Throws `unreadable` for another person's archive. */
export async function importArchive(
  store: Store,
  secret: PersonSecret,
  archive: Uint8Array,
): Promise<void> {
  const plain = await openSealed(await secret.archiveKey(), asBytes(archive), PLACE)
  const entries = JSON.parse(fromUtf8(plain)) as [string, string][]
  const known = new Set(await store.keys('group/'))
  const missing = entries.filter(([key]) => HISTORY.test(key) && !known.has(key))
  await store.write(missing.map(([key, value]) => [key, fromBase64(value)]))
}
