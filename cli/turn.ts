import type { Command } from 'commander'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { Refusal } from './failure.ts'
import { globalsOf } from './globals.ts'
import { parseSeconds } from './option-values.ts'
import { print, properties, remark, table } from './output.ts'

export function addTurn(program: Command): void {
  const turn = program.command('turn').description('the relay for calls (coturn)')

  const secret = turn
    .command('secret')
    .description("print coturn's shared secret; creates one if there is none")
    .option('--rotate', 'create a new one; coturn accepts both until the old key is retired')
    .action(printSecret)
  withExamples(secret, 'mimir turn secret', 'mimir turn secret --rotate --json')

  const config = turn
    .command('config')
    .description('print a complete turnserver.conf')
    .action(printConfig)
  withExamples(config, 'mimir turn config > /etc/turnserver.conf')

  const credentials = turn
    .command('credentials')
    .description('create temporary credentials for trying the relay')
    .argument('<user>', 'username, e-mail or id')
    .option('--ttl <duration>', 'their lifetime, at most a day (1h)', parseSeconds)
    .action(makeCredentials)
  withExamples(credentials, 'mimir turn credentials ada --ttl 10m')

  const test = turn
    .command('test')
    .description('request an allocation at every relay address that clients get')
    .action(testRelay)
  withExamples(test, 'mimir turn test', 'mimir turn test --json')
}

async function printSecret(options: { rotate?: boolean }, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const input = { rotate: options.rotate === true }
  const result = await call(globals, 'turn.secret', input)
  if (result.made && !globals.json) {
    remark(globals, 'New secret: update coturn with `mimir turn config`.')
  }
  await print(globals, result, () => result.secret)
}

async function printConfig(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const result = await call(globals, 'turn.config', {})
  if (!result.offered) remark(globals, 'Clients do not use the relay yet: set TURN_HOST.')
  await print(globals, result, () => result.config)
}

async function makeCredentials(
  user: string,
  options: { ttl?: number },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const input = { user, ttlSeconds: options.ttl }
  const made = await call(globals, 'turn.credentials', input)
  await print(globals, made, () =>
    properties([
      ['username', made.username],
      ['credential', made.credential],
      ['expires', new Date(made.expiresAt * 1000).toISOString()],
      ...made.urls.map((url) => ['url', url] as const),
    ]),
  )
}

async function testRelay(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const tests = await call(globals, 'turn.test', {})
  await print(globals, tests, () =>
    table(
      ['address', 'result', 'details'],
      tests.map(({ url, ok, seenAs, relay, detail, mend }) => [
        url,
        ok ? 'ok' : 'failed',
        ok
          ? relay
            ? `allocated ${relay}`
            : `sees this server at ${seenAs}`
          : `${detail}: ${mend}`,
      ]),
      '',
    ),
  )
  const failed = tests.filter(({ ok }) => !ok).length
  if (failed > 0) {
    throw new Refusal(`${failed} of ${tests.length} relay addresses failed`, 'turn_test_failed')
  }
}
