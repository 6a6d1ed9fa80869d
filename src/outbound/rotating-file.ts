import {
  constants,
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Clock, DAY, toIso } from '../platform/clock.ts'

export interface RotatingFile {
  readonly path: string
  /** A file of this size or more is rotated before the next write. */
  readonly maxBytes: number
  /** Rotated files older than this are deleted; 0: never. */
  readonly maxAgeDays: number
  /** How many rotated files are kept. */
  readonly maxBackups: number
}

/**
 * Appends whole lines and resolves once they are on the disk. A line that a crash cut short is removed
 * first. A full file is rotated to `NAME.TIME`.
 */
export async function appendToFile(file: RotatingFile, clock: Clock, lines: string): Promise<void> {
  await mkdir(dirname(file.path), { recursive: true, mode: 0o700 })
  if ((await sizeOf(file.path)) >= file.maxBytes) await putAside(file, clock)
  const flags = constants.O_RDWR | constants.O_CREAT
  const handle = await open(file.path, flags, 0o600)
  try {
    const end = await endOfLastLine(handle)
    await handle.truncate(end)
    const { bytesWritten } = await handle.write(lines, end, 'utf8')
    // A short write means that the disk is filling up.
    if (bytesWritten < Buffer.byteLength(lines)) throw new Error(`${file.path} cannot grow`)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

/** Longer than any line. */
const LOOK_BACK = 64 * 1024

async function endOfLastLine(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat()
  const start = Math.max(0, size - LOOK_BACK)
  const tail = Buffer.alloc(size - start)
  await handle.read(tail, 0, tail.length, start)
  const newline = tail.lastIndexOf('\n')
  return newline >= 0 ? start + newline + 1 : start
}

/** How a rotated file's name ends: the time, in the basic format of ISO 8601. */
const STAMP = /^\d{8}T\d{6}\.\d{3}Z$/

async function putAside(file: RotatingFile, clock: Clock): Promise<void> {
  const stamp = toIso(clock.now()).replaceAll(/[-:]/g, '')
  await rename(file.path, `${file.path}.${stamp}`)
  const folder = dirname(file.path)
  const prefix = `${basename(file.path)}.`
  // The names sort by age. Files that other programs put beside them stay.
  const isOurs = (name: string) => name.startsWith(prefix) && STAMP.test(name.slice(prefix.length))
  const aside = (await readdir(folder)).filter(isOurs).sort()
  const oldest = toIso(clock.now() - file.maxAgeDays * DAY).replaceAll(/[-:]/g, '')
  const old = (name: string) => file.maxAgeDays > 0 && name.slice(prefix.length) < oldest
  const excess = aside.slice(0, Math.max(0, aside.length - file.maxBackups))
  for (const name of new Set([...aside.filter(old), ...excess])) await rm(join(folder, name))
}
