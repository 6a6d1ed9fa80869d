import type { Command } from 'commander'
import type { CommandOutput } from '../src/app/command-types.ts'
import { Connection, requireServer } from './connection.ts'
import { withExamples } from './examples.ts'
import { Refusal } from './failure.ts'
import { commandLog, type Globals, globalsOf, loadSettings, requireOwner } from './globals.ts'
import { print, properties } from './output.ts'

type Status = CommandOutput<'db.status'>
type Check = CommandOutput<'db.check'>

export function addDb(program: Command): void {
  const db = program.command('db').description('the database')

  const status = db
    .command('status')
    .description('show where the database is and its migrations')
    .action(showStatus)
  withExamples(status, 'mimir db status', 'mimir db status --json')

  const migrate = db
    .command('migrate')
    .description('migrate the database, as every start does')
    .action(migrateStore)
  withExamples(migrate, 'mimir db migrate')

  const check = db
    .command('check')
    .description('check the whole database for damage; fails if there is any')
    .action(checkStore)
  withExamples(check, 'mimir db check', 'mimir db check --json')
}

async function showStatus(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const status = await getStatus(globals)
  await print(globals, status, () =>
    properties([
      ['engine', status.engine],
      ['location', status.location],
      ['applied', status.applied.join(', ') || 'none'],
      ['pending', status.pending.join(', ') || 'none'],
      ...(status.unknown.length > 0
        ? [['from a newer version', status.unknown.join(', ')] as const]
        : []),
    ]),
  )
}

async function migrateStore(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const before = await getStatus(globals)
  // A running server has migrated its store at startup.
  const migrated = before.pending.length > 0 ? await migrateHere(globals) : []
  const { engine, location } = before
  await print(globals, { engine, location, migrated }, () =>
    migrated.length === 0
      ? 'The database is up to date.'
      : `Applied migrations: ${migrated.join(', ')}.`,
  )
}

async function checkStore(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const result = await getCheck(globals)
  await print(globals, result, () => (result.ok ? 'No damage found.' : result.damage.join('\n')))
  if (!result.ok) {
    const hint = 'restore a backup'
    throw new Refusal(`${result.location} is damaged: ${hint}`, 'damaged_store')
  }
}

async function getStatus(globals: Globals): Promise<Status> {
  const answer = await new Connection(globals).callServer('db.status', {})
  if (answer) return answer.result
  const { inspectStatus } = await import('../src/app/inspect-store.ts')
  return inspectStatus(...(await storeHere(globals)))
}

async function getCheck(globals: Globals): Promise<Check> {
  const answer = await new Connection(globals).callServer('db.check', {})
  if (answer) return answer.result
  const { inspectDamage } = await import('../src/app/inspect-store.ts')
  return inspectDamage(...(await storeHere(globals)))
}

async function migrateHere(globals: Globals): Promise<readonly string[]> {
  const [config, log, purpose] = await storeHere(globals)
  const { createApp } = await import('../src/app/create-app.ts')
  const app = await createApp({ config, log, purpose })
  await app.close()
  return app.migrated
}

async function storeHere(globals: Globals) {
  requireServer(globals)
  requireOwner(globals)
  const { config } = await loadSettings(globals)
  return [config, await commandLog(globals), globals.purpose] as const
}
