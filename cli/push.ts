import type { Command } from 'commander'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, table } from './output.ts'

export function addPush(program: Command): void {
  const push = program.command('push').description('push notifications')

  const test = push
    .command('test')
    .description('send a test push to every device of a user and show how far each got')
    .argument('<user>', 'username, e-mail or id')
    .action(testPush)
  withExamples(test, 'mimir push test ada', 'mimir push test ada --json')
}

async function testPush(user: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const tests = await call(globals, 'push.test', { user })
  await print(globals, tests, () =>
    table(
      ['device', 'kind', 'delivered', 'steps'],
      tests.map(({ id, kind, delivered, hops }) => [
        id,
        kind,
        delivered ? 'yes' : 'no',
        hops.map(({ hop, detail }) => `${hop}: ${detail}`).join(', '),
      ]),
      'This user has no devices.',
    ),
  )
}
