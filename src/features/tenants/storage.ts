import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { tenantDirectory, tenantSchema } from '../../config/tenancy.ts'
import type { Ctx } from '../../context.ts'
import { DataDirectoryInUseError, lockDataDirectory } from '../../db/data-lock.ts'
import { AppError } from '../../platform/errors.ts'
import { tenantErrors } from './errors.ts'

/** Refuses if the tenant's directory already exists: files left there are not taken over. */
export function requireFreeDirectory(config: Config, id: string): void {
  if (existsSync(tenantDirectory(config.dataDir, id)))
    throw new AppError(tenantErrors.directoryTaken)
}

/** Creates the tenant's directory, with its public URL if it has a host of its own. */
export function makeDirectory(config: Config, id: string, host: string | undefined): void {
  const directory = tenantDirectory(config.dataDir, id)
  mkdirSync(join(directory, 'keys'), { recursive: true, mode: 0o700 })
  if (host === undefined) return
  const url = new URL(config.publicUrl)
  url.hostname = host
  const settings = `MIMIR_PUBLIC_URL=${url.href.replace(/\/+$/, '')}\n`
  writeFileSync(join(directory, 'mimir.env'), settings, { mode: 0o600 })
}

/** Where the tenant's data are, and their size. */
export function describeHoldings(config: Config, id: string) {
  const directory = tenantDirectory(config.dataDir, id)
  const isInPostgres = config.secrets.databaseUrl !== undefined
  return {
    directory,
    bytes: bytesIn(directory),
    databaseSchema: (isInPostgres && tenantSchema(id)) || null,
  }
}

/** Deletes all of the tenant's data. After a failure it can be repeated. */
export async function removeHoldings(ctx: Pick<Ctx, 'config' | 'db'>, id: string): Promise<void> {
  const directory = tenantDirectory(ctx.config.dataDir, id)
  const schema = tenantSchema(id)
  if (schema === undefined) throw new Error('the default tenant is the server itself')
  const lock = existsSync(directory) ? lockOf(directory) : undefined
  try {
    await ctx.db.transaction((tx) => ctx.db.engine.removeSchema(tx, schema))
  } finally {
    lock?.release()
  }
  rmSync(directory, { recursive: true, force: true })
}

function lockOf(directory: string) {
  try {
    return lockDataDirectory(join(directory, 'lock.db'), 'tenant delete')
  } catch (cause) {
    if (cause instanceof DataDirectoryInUseError)
      throw new AppError(tenantErrors.inUse, {}, { cause })
    throw cause
  }
}

function bytesIn(directory: string): number {
  if (!existsSync(directory)) return 0
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}
