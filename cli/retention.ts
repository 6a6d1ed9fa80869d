import { type Command, InvalidArgumentError } from 'commander'
import type { CommandOutput } from '../src/app/command-types.ts'
import { confirm } from './ask.ts'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, table, time } from './output.ts'

export function addRetention(program: Command): void {
  const retention = program
    .command('retention')
    .description('how long data is kept, and legal holds')

  const show = retention
    .command('show')
    .description('show how long data is kept and how much is due for deletion')
    .action(showRetention)
  withExamples(show, 'mimir retention show')

  const run = retention
    .command('run')
    .description('delete expired data now; the server also does so every hour')
    .option('--dry-run', 'only show what would be deleted')
    .option('--yes', 'do not ask')
    .action(runRetention)
  withExamples(run, 'mimir retention run --dry-run', 'mimir retention run --yes')

  const hold = retention
    .command('hold')
    .description('place a legal hold: keep data about a subject from deletion')
    .argument('<subject>', 'user:NAME, conversation:ID or audit', subjectOf)
    .requiredOption('--reason <text>', 'why; stored with the hold')
    .action(placeHold)
  withExamples(hold, 'mimir retention hold user:ada --reason "case 12/2026"')

  const holds = retention.command('holds').description('list the legal holds').action(listHolds)
  withExamples(holds, 'mimir retention holds')

  const lift = retention
    .command('lift')
    .description('lift a legal hold')
    .argument('<id>', 'as shown by `mimir retention holds`')
    .option('--yes', 'do not ask')
    .action(liftHold)
  withExamples(lift, 'mimir retention lift 01926e0c-0000-7000-8000-000000000000')
}

type Retention = CommandOutput<'retention.show'>

function tableOf(rows: Retention, head: string): Promise<string> {
  return table(
    ['data', 'kept for', head],
    rows.map((row) => [row.class, row.days === 0 ? 'forever' : `${row.days} days`, row.rows]),
    'Nothing is kept.',
  )
}

async function showRetention(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const rows = await call(globals, 'retention.show', {})
  await print(globals, rows, () => tableOf(rows, 'due'))
}

async function runRetention(
  options: { dryRun?: boolean; yes?: boolean },
  command: Command,
): Promise<void> {
  if (options.dryRun) return showRetention(options, command)
  const globals = globalsOf(command)
  await confirm('Delete all expired data?', options)
  const rows = await call(globals, 'retention.run', {})
  await print(globals, rows, () => tableOf(rows, 'deleted'))
}

interface Subject {
  readonly subject: 'user' | 'conversation' | 'audit'
  readonly name?: string
}

function subjectOf(text: string): Subject {
  if (text === 'audit') return { subject: 'audit' }
  const [, subject, name] = /^(user|conversation):(.+)$/.exec(text) ?? []
  if (!subject || !name) throw new InvalidArgumentError('Use user:NAME, conversation:ID or audit.')
  return { subject: subject as 'user' | 'conversation', name }
}

async function placeHold(
  subject: Subject,
  options: { reason: string },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const input = { ...subject, reason: options.reason }
  const hold = await call(globals, 'retention.hold', input)
  await print(globals, hold, () => `Placed the hold ${hold.id} on the ${hold.subjectType}.`)
}

async function listHolds(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const holds = await call(globals, 'retention.holds', {})
  await print(globals, holds, () =>
    table(
      ['id', 'subject', 'reason', 'placed by', 'placed', 'lifted'],
      holds.map((hold) => [
        hold.id,
        `${hold.subjectType} ${hold.subjectId}`,
        hold.reason,
        hold.placedBy,
        time(hold.placedAt),
        time(hold.liftedAt),
      ]),
      'No legal holds.',
    ),
  )
}

async function liftHold(id: string, options: { yes?: boolean }, command: Command): Promise<void> {
  const globals = globalsOf(command)
  await confirm('Lift the hold? Expired data is deleted within the hour.', options)
  const result = await call(globals, 'retention.lift', { id })
  await print(globals, result, () => `${id} is lifted.`)
}
