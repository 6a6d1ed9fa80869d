import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine } from '../../src/db/engine.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { openSqlite } from '../../src/db/sqlite.ts'
import { createLog } from '../../src/platform/log.ts'
import { createEmptyDatabase, STORE } from '../harness/store.ts'

/** An empty store that several engines may open. */
export interface EmptyStore extends AsyncDisposable {
  /** For the embedded store: the directory of its file and copies. */
  readonly directory: string
  open(): Engine
}

/** Creates an empty store of this run's engine; `await using` closes and removes it. */
export async function emptyStore(kind = STORE): Promise<EmptyStore> {
  return kind === 'sqlite' ? emptySqlite() : emptyPostgres()
}

export function emptySqlite(directory = mkdtempSync(join(tmpdir(), 'mimir-store-'))): EmptyStore {
  const engines: Engine[] = []
  return {
    directory,
    open() {
      const backupDirectory = join(directory, 'backups')
      mkdirSync(backupDirectory, { recursive: true })
      return remember(engines, openSqlite({ file: join(directory, 'mimir.db'), backupDirectory }))
    },
    async [Symbol.asyncDispose]() {
      for (const engine of engines) await engine.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function emptyPostgres(): Promise<EmptyStore> {
  const store = await createEmptyDatabase()
  const engines: Engine[] = []
  const log = createLog({ level: 'silent' })
  return {
    directory: '',
    open() {
      const url = store.env.DATABASE_URL as string
      return remember(engines, openPostgres({ url, connections: 4 }, log))
    },
    async [Symbol.asyncDispose]() {
      for (const engine of engines) await engine.close()
      await store.drop()
    },
  }
}

/** Closes the engine at the end of the test unless the test has closed it itself. */
function remember(engines: Engine[], engine: Engine): Engine {
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= engine.close()
    return closed
  }
  const remembered = { ...engine, close }
  engines.push(remembered)
  return remembered
}
