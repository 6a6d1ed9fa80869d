import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from './clock.ts'
import { toIso } from './clock.ts'
import { AppError, commonErrors, defineErrors, reasonOf } from './errors.ts'
import { makeVapidKey } from './vapid.ts'

/**
 * What a key is for: signing access tokens, sealing messages, TURN credentials, refresh successors,
 * signing web pushes, signing the checkpoints of the audit log.
 */
export const KEY_PURPOSES = ['jwt', 'message', 'turn', 'refresh', 'vapid', 'audit'] as const
export type KeyPurpose = (typeof KEY_PURPOSES)[number]

export interface Key {
  readonly id: string
  readonly purpose: KeyPurpose
  readonly createdAt: string
  readonly source: 'file' | 'environment'
  readonly key: Buffer
}

/**
 * The server's keys, one file each (0600). The newest key of a purpose seals or signs; older ones still
 * open or verify what they made, until they are removed. The age of a key from the environment counts
 * from its first use here, so that a newly set one becomes current and a rotated one does not.
 */
export interface Keyring {
  current(purpose: KeyPurpose): Key
  has(purpose: KeyPurpose): boolean
  find(purpose: KeyPurpose, id: string): Key | undefined
  all(): readonly Key[]
  /** How many sealed values could not be opened since startup: wrong key or missing key. */
  readonly unreadable: { count: number }
  /** Creates a key and makes it current. */
  rotate(purpose: KeyPurpose): Key
  /** Throws `key_not_found`, `key_in_use` for a current key, or `key_from_environment`. */
  requireRemovable(id: string): Key
  /** Deletes the file of an old key; throws as `requireRemovable` does. */
  remove(id: string): void
}

export const keyErrors = defineErrors({
  notFound: { code: 'key_not_found', kind: 'not_found', message: 'There is no such key.' },
  inUse: { code: 'key_in_use', kind: 'conflict', message: 'The key is still in use.' },
  fromEnvironment: {
    code: 'key_from_environment',
    kind: 'conflict',
    message: 'The key comes from the environment: remove it there.',
  },
})

/** The key files cannot be used as they are; the message says why. */
export class KeyFileError extends Error {}

export interface KeyringOptions {
  readonly directory: string
  readonly clock: Clock
  /** Keys from the settings, as bytes. */
  readonly environment: Partial<Record<KeyPurpose, Buffer>>
}

/** Reads the key files. Throws `KeyFileError` if one is malformed or accessible to others than its owner. */
export function openKeyring({ directory, clock, environment }: KeyringOptions): Keyring {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const keys: Key[] = []
  for (const purpose of KEY_PURPOSES) {
    const bytes = environment[purpose]
    if (bytes) keys.push(environmentKey(directory, clock, purpose, bytes))
  }
  for (const name of readdirSync(directory).sort()) {
    if (name.endsWith('.key')) keys.push(readKey(join(directory, name)))
  }

  const newest = (purpose: KeyPurpose) =>
    keys
      .filter((key) => key.purpose === purpose)
      .reduce<Key | undefined>(
        (best, key) => (best === undefined || key.createdAt >= best.createdAt ? key : best),
        undefined,
      )

  const requireRemovable = (id: string): Key => {
    const key = keys.find((candidate) => candidate.id === id)
    if (!key) throw new AppError(keyErrors.notFound)
    if (key === newest(key.purpose)) throw new AppError(keyErrors.inUse)
    if (key.source === 'environment') throw new AppError(keyErrors.fromEnvironment)
    return key
  }

  return {
    current(purpose) {
      const key = newest(purpose)
      if (!key) throw new AppError(keyErrors.notFound)
      return key
    },
    has: (purpose) => newest(purpose) !== undefined,
    find: (purpose, id) => keys.find((key) => key.purpose === purpose && key.id === id),
    all: () => keys,
    unreadable: { count: 0 },
    rotate(purpose) {
      // Later than every other key of its purpose, even if the clock was set back.
      const after = newest(purpose)?.createdAt ?? ''
      let at = clock.now()
      while (toIso(at) <= after) at = Date.parse(after) + 1
      const key: Key = {
        id: `${purpose}-${randomBytes(6).toString('hex')}`,
        purpose,
        createdAt: toIso(at),
        source: 'file',
        key: purpose === 'vapid' ? makeVapidKey() : randomBytes(32),
      }
      writeKey(directory, key)
      keys.push(key)
      return key
    },
    requireRemovable,
    remove(id) {
      keys.splice(keys.indexOf(requireRemovable(id)), 1)
      rmSync(join(directory, `${id}.key`))
    },
  }
}

/** Creates missing keys for every purpose but TURN, which only a relay needs. */
export function completeKeyring(keyring: Keyring): void {
  for (const purpose of KEY_PURPOSES) {
    if (purpose !== 'turn' && !keyring.has(purpose)) keyring.rotate(purpose)
  }
}

function environmentKey(directory: string, clock: Clock, purpose: KeyPurpose, key: Buffer): Key {
  // Named by its content: another value in the environment is another key.
  const id = `${purpose}-env-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`
  const seen = join(directory, `${id}.seen`)
  if (!existsSync(seen)) writeDurably(directory, seen, toIso(clock.now()))
  const createdAt = readFileSync(seen, 'utf8').trim()
  return { id, purpose, createdAt, source: 'environment', key }
}

function readKey(path: string): Key {
  const others = statSync(path).mode & 0o077
  if (others !== 0) {
    // All of them at once: what opened one has probably opened the others too.
    const mend = `chmod 600 ${join(dirname(path), '*')}`
    throw new KeyFileError(`${path} can be read by others: ${mend}`)
  }
  try {
    const { id, purpose, createdAt, key } = JSON.parse(readFileSync(path, 'utf8'))
    if (!KEY_PURPOSES.includes(purpose)) throw new Error('unknown purpose')
    if (path !== join(dirname(path), `${id}.key`)) throw new Error('its id does not match its name')
    if (Number.isNaN(Date.parse(createdAt))) throw new Error('no creation time')
    const bytes = Buffer.from(key, 'base64')
    if (bytes.length < 32) throw new Error('too short')
    return { id, purpose, createdAt, source: 'file', key: bytes }
  } catch (error) {
    throw new KeyFileError(`${path} is not a key file (${reasonOf(error)})`)
  }
}

function writeKey(directory: string, { id, purpose, createdAt, key }: Key): void {
  const text = JSON.stringify({ id, purpose, createdAt, key: key.toString('base64') })
  writeDurably(directory, join(directory, `${id}.key`), text)
}

/** Writes the file atomically, and to the disk before anything is sealed with the key. */
function writeDurably(directory: string, path: string, text: string): void {
  const temporary = `${path}.new`
  try {
    rmSync(temporary, { force: true })
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeSync(file, `${text}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
    const folder = openSync(directory, 'r')
    fsyncSync(folder)
    closeSync(folder)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new AppError(commonErrors.storeUnavailable, {}, { cause })
  }
}
