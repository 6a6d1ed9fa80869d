import type { Bytes } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import type { Change, Store } from './store.ts'

const VALUES = 'values'

/**
 * A store in the browser. A Web Lock lets only one tab or worker of an origin open it at a time, because
 * two that advance the same ratchet would use a key twice. Throws `store-in-use` for the second.
 */
export async function openIndexedDb(name: string): Promise<Store> {
  const release = await hold(`mimir-mls:${name}`)
  try {
    return new IndexedDbStore(await openDatabase(name), release)
  } catch (error) {
    release()
    throw error
  }
}

class IndexedDbStore implements Store {
  readonly #database: IDBDatabase
  readonly #release: () => void

  constructor(database: IDBDatabase, release: () => void) {
    this.#database = database
    this.#release = release
  }

  async read(key: string): Promise<Bytes | undefined> {
    const values = this.#database.transaction(VALUES).objectStore(VALUES)
    return done(values.get(key))
  }

  async keys(prefix: string): Promise<string[]> {
    const values = this.#database.transaction(VALUES).objectStore(VALUES)
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`)
    return (await done(values.getAllKeys(range))) as string[]
  }

  async write(changes: readonly Change[]): Promise<void> {
    // Strict: completes only when the bytes are on the disk, not when the OS has them.
    const transaction = this.#database.transaction(VALUES, 'readwrite', { durability: 'strict' })
    const values = transaction.objectStore(VALUES)
    for (const [key, value] of changes) {
      if (value === undefined) values.delete(key)
      else values.put(value.slice(), key)
    }
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error)
    })
  }

  async close(): Promise<void> {
    this.#database.close()
    this.#release()
  }
}

/** Takes the lock and resolves to a function that releases it. */
function hold(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) throw new MlsError('store-in-use', 'The store is open in another tab.')
      return new Promise<void>((release) => resolve(() => release()))
    })
    held.catch(reject)
  })
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(VALUES)
  return done(request)
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
