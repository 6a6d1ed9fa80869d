import { mkdirSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import type { Logger } from '../platform/log.ts'
import type { Engine } from './engine.ts'
import { openSqlite } from './sqlite.ts'
import { checkFile } from './sqlite-file.ts'

/** Opens the store that the settings name: PostgreSQL with `DATABASE_URL`, else the embedded one. */
export async function openStore(config: Config, log: Logger): Promise<Engine> {
  const url = config.secrets.databaseUrl
  if (url) {
    const { openPostgres } = await import('./postgres.ts')
    const { databaseConnections: connections, databaseSchema: schema } = config
    return openPostgres({ url, connections, schema }, log)
  }
  mkdirSync(config.paths.backups, { recursive: true, mode: 0o700 })
  checkFile(config.paths.database)
  return openSqlite({ file: config.paths.database, backupDirectory: config.paths.backups })
}
