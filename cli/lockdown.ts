import { type Command, Option } from 'commander'
import { confirm } from './ask.ts'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print } from './output.ts'

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
