import { type Kysely, sql } from 'kysely'
import { type Clock, toIso } from '../platform/clock.ts'
import type { Columns } from './columns.ts'
import type { Tx } from './database.ts'
import type { Engine } from './engine.ts'

/** One step of the schema. Forward only; never edited once released. */
export interface Migration {
  /** `NNNN-name`; names sort in the order of running. */
  readonly name: string
  /** Not loaded before it is to run, since most starts run none. */
  load(): Promise<{ up(db: Kysely<unknown>, columns: Columns): Promise<void> }>
}

export interface MigrationStatus {
  readonly applied: string[]
  readonly pending: string[]
  /** Migrations of a newer version: this one must not touch the store. */
  readonly unknown: string[]
}

export class NewerSchemaError extends Error {}

export async function migrationStatus(
  engine: Engine,
  migrations: readonly Migration[],
): Promise<MigrationStatus> {
  const applied = await engine.transaction((tx) => lockAndList(engine, tx))
  const known = new Set(migrations.map((migration) => migration.name))
  return {
    applied,
    pending: migrations.map(({ name }) => name).filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.has(name)),
  }
}

/**
 * Migrates the store to the newest schema, one transaction per step. Two nodes may call it at once: the
 * second waits and finds the work done. Returns the names of the steps that ran. Throws
 * `NewerSchemaError` and changes nothing if a newer version made the store.
 */
export async function migrate(
  engine: Engine,
  migrations: readonly Migration[],
  clock: Clock,
): Promise<string[]> {
  const before = await migrationStatus(engine, migrations)
  if (before.unknown.length > 0) {
    throw new NewerSchemaError(
      `the store was created by a newer Mimir (it has ${before.unknown.join(', ')}): use that version`,
    )
  }
  if (before.pending.length === 0) return []
  if (before.applied.length > 0) await engine.copyBefore(before.pending[0] as string)

  const ran: string[] = []
  for (const { name, load } of migrations) {
    if (!before.pending.includes(name)) continue
    const { up } = await load()
    await engine.transaction(async (tx) => {
      if ((await lockAndList(engine, tx)).includes(name)) return
      await up(untyped(tx), engine.columns)
      const at = toIso(clock.now())
      await sql`insert into migrations (name, applied_at) values (${name}, ${at})`.execute(tx)
      ran.push(name)
    })
  }
  return ran
}

async function lockAndList(engine: Engine, tx: Tx): Promise<string[]> {
  await engine.lockMigrations(tx)
  await sql`create table if not exists migrations (
    name text primary key not null, applied_at text not null)`.execute(tx)
  const { rows } = await sql<{ name: string }>`select name from migrations order by name`.execute(
    tx,
  )
  return rows.map((row) => row.name)
}

/** Migrations must not depend on the current table types. */
function untyped(tx: Tx): Kysely<unknown> {
  return tx as unknown as Kysely<unknown>
}
