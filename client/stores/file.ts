import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { asBytes, type Bytes, concat, fromUtf8, utf8 } from '../bytes.ts'
import { MlsError } from '../errors.ts'
import { SerialQueue } from '../queue.ts'
import type { Change, Store } from './store.ts'

/** Bytes of overwritten or deleted values above which the file is rewritten when it is opened. */
const WASTE = 1 << 20
/** A record: its length and CRC-32 (4 bytes each), then its changes. */
const HEADER = 8
/** The length that marks a deleted value. */
const TAKEN_AWAY = 0xffffffff

/**
 * A store in one file, for Bun and Node: an append-only log with one synced record per `write`, and all
 * values in memory. A record that a crash cut short is dropped with all its changes when the file is
 * opened. For one process at a time: of two, the one that finds the other's writes can write no more, so that
 * no key is used twice.
 */
export async function openFileStore(path: string): Promise<Store> {
  await mkdir(dirname(path), { recursive: true })
  const { values, intact, size } = replay(await readOrEmpty(path))
  const live = [...values].reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  if (size - live > WASTE && (await writeAnew(path, values))) return openFileStore(path)
  const file = await open(path, intact === 0 ? 'w+' : 'r+', 0o600)
  await file.truncate(intact)
  await syncFolder(path)
  return new FileStore(file, values, intact)
}

/** Rewrites the file with the live values only. Returns false, leaving it as it is, if the disk is full. */
async function writeAnew(path: string, values: ReadonlyMap<string, Bytes>): Promise<boolean> {
  const fresh = await open(`${path}.new`, 'w', 0o600)
  try {
    await append(fresh, encodeRecord([...values]), 0)
  } catch (error) {
    await rm(`${path}.new`)
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  } finally {
    await fresh.close()
  }
  await rename(`${path}.new`, path)
  await syncFolder(path)
  return true
}

class FileStore implements Store {
  readonly #file: FileHandle
  readonly #values: Map<string, Bytes>
  readonly #writes = new SerialQueue()
  #end: number

  constructor(file: FileHandle, values: Map<string, Bytes>, end: number) {
    this.#file = file
    this.#values = values
    this.#end = end
  }

  async read(key: string): Promise<Bytes | undefined> {
    return this.#values.get(key)
  }

  async keys(prefix: string): Promise<string[]> {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort()
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#writes.run(async () => {
      await this.#requireUnchanged()
      const record = encodeRecord(changes)
      try {
        await append(this.#file, record, this.#end)
      } catch (error) {
        // Drop the part that was written: the disk may be full.
        await this.#file.truncate(this.#end).catch(() => {})
        throw error
      }
      this.#end += record.length
      apply(this.#values, changes)
    })
  }

  async close(): Promise<void> {
    await this.#writes.run(() => this.#file.close())
  }

  /** Throws `store-in-use` if another process has appended to the file or written it anew. */
  async #requireUnchanged(): Promise<void> {
    const { nlink, size } = await this.#file.stat()
    if (nlink > 0 && size === this.#end) return
    throw new MlsError('store-in-use', 'Another process has written to the store.')
  }
}

async function append(file: FileHandle, record: Bytes, at: number): Promise<void> {
  // A full disk accepts a part of the bytes and reports an error only for the next write.
  for (let written = 0; written < record.length; ) {
    const left = record.length - written
    written += (await file.write(record, written, left, at + written)).bytesWritten
  }
  await file.datasync()
}

/** A new or renamed file survives a power cut only if its folder is synced too. */
async function syncFolder(path: string): Promise<void> {
  // Windows cannot sync a folder.
  if (process.platform === 'win32') return
  const folder = await open(dirname(path), 'r')
  await folder.sync()
  await folder.close()
}

async function readOrEmpty(path: string): Promise<Bytes> {
  try {
    // Not a Buffer, whose `slice` returns a view instead of a copy.
    return new Uint8Array(await readFile(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Uint8Array()
    throw error
  }
}

function replay(log: Bytes) {
  const values = new Map<string, Bytes>()
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
  let intact = 0
  while (intact + HEADER <= log.length) {
    const end = intact + HEADER + view.getUint32(intact)
    const body = log.subarray(intact + HEADER, end)
    if (end > log.length || crc32(body) !== view.getUint32(intact + 4)) break
    apply(values, decodeChanges(body))
    intact = end
  }
  return { values, intact, size: log.length }
}

function apply(values: Map<string, Bytes>, changes: readonly Change[]): void {
  for (const [key, value] of changes) {
    if (value === undefined) values.delete(key)
    else values.set(key, asBytes(value.slice()))
  }
}

function encodeRecord(changes: readonly Change[]): Bytes {
  const body = concat(
    ...changes.flatMap(([key, value]) => {
      const name = utf8(key)
      const length = value === undefined ? TAKEN_AWAY : value.length
      return [uint32(name.length), name, uint32(length), value ?? new Uint8Array()]
    }),
  )
  return concat(uint32(body.length), uint32(crc32(body)), body)
}

function decodeChanges(body: Bytes): Change[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const changes: Change[] = []
  for (let offset = 0; offset < body.length; ) {
    const key = body.subarray(offset + 4, offset + 4 + view.getUint32(offset))
    offset += 4 + key.length
    const length = view.getUint32(offset)
    offset += 4
    const value = length === TAKEN_AWAY ? undefined : body.subarray(offset, offset + length)
    offset += value?.length ?? 0
    changes.push([fromUtf8(key), value])
  }
  return changes
}

function uint32(value: number): Bytes {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
