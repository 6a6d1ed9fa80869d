import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import type { Command } from 'commander'
import { confirm } from './ask.ts'
import { type Connection, call, connected } from './connection.ts'
import { Refusal } from './failure.ts'
import { globalsOf } from './globals.ts'
import { print, time } from './output.ts'

/** Writes a user's data to a zip that only the caller can read. */
export async function exportUser(
  user: string,
  options: { to?: string },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  await connected(globals, async (connection) => {
    const made = await connection.call('user.export', { user })
    const path = options.to ?? `mimir-${made.userId}.zip`
    await writeArchive(connection, made, path)
    const result = { userId: made.userId, file: path, size: made.size }
    await print(globals, result, () => `Wrote ${path} (${made.size} bytes).`)
  })
}

async function writeArchive(
  connection: Connection,
  { id, chunks }: { id: string; chunks: number },
  path: string,
): Promise<void> {
  const file = create(path)
  try {
    for (let position = 0; position < chunks; position++) {
      const input = { id, position }
      const { bytes } = await connection.call('user.export-chunk', input)
      writeSync(file, Buffer.from(bytes, 'base64'))
    }
    fsyncSync(file)
    closeSync(file)
  } catch (error) {
    closeSync(file)
    rmSync(path)
    throw error
  }
}

function create(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'already exists' : `cannot be written (${code})`
    throw new Refusal(`${path} ${why}: name another file with --to`, 'bad_file')
  }
}

export async function eraseUser(
  user: string,
  options: { now?: boolean; messages?: boolean; yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const when = options.now ? 'now and permanently' : 'in seven days'
  await confirm(`Erase the account of ${user} ${when}?`, options)
  const input = { user, now: options.now === true, deleteMessages: options.messages === true }
  const result = await call(globals, 'user.erase', input)
  await print(globals, result, () =>
    result.dueAt
      ? `${user} will be erased on ${time(result.dueAt)}; until then they can cancel it.`
      : `${user} is erased; the account ${result.userId} is now nameless.`,
  )
}
