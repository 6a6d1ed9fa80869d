import type { Command } from 'commander'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, table, time } from './output.ts'

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
