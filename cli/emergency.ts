import { type Command, Option } from 'commander'
import { confirm } from './ask.ts'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, table, time } from './output.ts'

export function addLockdown(program: Command): void {
  const lockdown = program
    .command('lockdown')
    .description('lock the server in an emergency: ends all sessions, blocks API keys')
    .addOption(
      new Option('--mode <mode>', 'closed: refuse every request; read-only: still allow reading')
        .choices(['closed', 'read-only'])
        .default('closed'),
    )
    .option('--lift', 'end the lockdown')
    .option('--yes', 'do not ask')
    .action(lockDown)
  withExamples(lockdown, 'mimir lockdown', 'mimir lockdown --lift')
}

export function addIncident(program: Command): void {
  const incident = program
    .command('incident')
    .description('security incidents, recorded in the audit log')

  const open = incident
    .command('open')
    .description('open an incident; prints the 72-hour deadline')
    .argument('<title>', 'what happened, in one line')
    .action(openIncident)
  withExamples(open, 'mimir incident open "a laptop with a session was stolen"')

  const close = incident
    .command('close')
    .description('close an incident')
    .argument('<id>', 'as shown by `mimir incident list`')
    .requiredOption('--conclusion <text>', 'what the cause was and what was done')
    .action(closeIncident)
  withExamples(close, 'mimir incident close ID --conclusion "session revoked, nothing read"')

  const list = incident.command('list').description('list the incidents').action(listIncidents)
  withExamples(list, 'mimir incident list')
}

async function lockDown(
  options: { mode: 'closed' | 'read-only'; lift?: boolean; yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  if (options.lift) {
    const lifted = await call(globals, 'lockdown.lift', {})
    return print(globals, lifted, () => 'The lockdown has ended; everyone has to sign in again.')
  }
  await confirm('Sign everyone out and lock the server?', options)
  const input = { mode: options.mode }
  const result = await call(globals, 'lockdown.start', input)
  await print(globals, result, () => {
    const ended = `${result.sessionsEnded} sessions ended`
    return `The server is ${result.mode}, ${ended}. Lift it with \`mimir lockdown --lift\`.`
  })
}

async function openIncident(title: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const incident = await call(globals, 'incident.open', { title })
  await print(globals, incident, () => {
    const deadline = `If personal data is affected, notify the authority by ${time(incident.notifyBy)}.`
    return `${incident.id} is open. ${deadline}`
  })
}

async function closeIncident(
  id: string,
  options: { conclusion: string },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const input = { id, conclusion: options.conclusion }
  const result = await call(globals, 'incident.close', input)
  await print(globals, result, () => `${id} is closed.`)
}

async function listIncidents(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const incidents = await call(globals, 'incident.list', {})
  await print(globals, incidents, () =>
    table(
      ['id', 'title', 'opened', 'notify by', 'closed'],
      incidents.map((one) => [
        one.id,
        one.title,
        time(one.openedAt),
        time(one.notifyBy),
        time(one.closedAt),
      ]),
      'No incidents.',
    ),
  )
}
