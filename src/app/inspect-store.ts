import { mkdirSync } from 'node:fs'
import { migrations } from '../../migrations/index.ts'
import type { Config } from '../config/config.ts'
import { lockDataDirectory } from '../db/data-lock.ts'
import type { Engine } from '../db/engine.ts'
import { migrationStatus } from '../db/migrate.ts'
import { openStore } from '../db/open-store.ts'
import { DamagedStoreError } from '../db/sqlite-file.ts'
import type { Logger } from '../platform/log.ts'
import { requireStore } from './lost-store.ts'

export interface StoreStatus {
  readonly engine: Engine['kind']
  /** The file, or the server without its password. */
  readonly location: string
  /** Names of the migrations that ran, and of those that the next start runs. */
  readonly applied: string[]
  readonly pending: string[]
  /** Migrations made by a newer version. */
  readonly unknown: string[]
}

export interface StoreCheck {
  readonly engine: Engine['kind']
  readonly location: string
  readonly ok: boolean
  /** One line per problem. */
  readonly damage: string[]
}

export async function storeStatus(engine: Engine): Promise<StoreStatus> {
  const { kind, location } = engine
  return { engine: kind, location, ...(await migrationStatus(engine, migrations)) }
}

/** Reads the whole store, which takes a while when it is large. */
export async function checkStore(engine: Engine): Promise<StoreCheck> {
  const damage = await engine.findDamage()
  return { engine: engine.kind, location: engine.location, ok: damage.length === 0, damage }
}

/** Returns the status of a store that no server has open, without migrating it. */
export function inspectStatus(config: Config, log: Logger, purpose: string): Promise<StoreStatus> {
  return withStore(config, log, purpose, storeStatus)
}

/** Looks for damage in a store that no server has open. */
export async function inspectDamage(
  config: Config,
  log: Logger,
  purpose: string,
): Promise<StoreCheck> {
  try {
    return await withStore(config, log, purpose, checkStore)
  } catch (error) {
    if (!(error instanceof DamagedStoreError)) throw error
    const { database: location } = config.paths
    return { engine: error.engine, location, ok: false, damage: [error.message] }
  }
}

async function withStore<T>(
  config: Config,
  log: Logger,
  purpose: string,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const lock = lockDataDirectory(config.paths.lock, purpose)
  try {
    requireStore(config)
    const engine = await openStore(config, log)
    try {
      return await work(engine)
    } finally {
      await engine.close()
    }
  } finally {
    lock.release()
  }
}
