import type { Command } from 'commander'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { Refusal } from './failure.ts'
import { globalsOf } from './globals.ts'
import { print } from './output.ts'

export function addMail(program: Command): void {
  const mail = program.command('mail').description('the sending of e-mail')

  const test = mail
    .command('test')
    .description('send a test e-mail and show what the mail server says')
    .argument('<address>', 'where to send it')
    .action(testMail)
  withExamples(test, 'mimir mail test ada@example.org', 'mimir mail test ada@example.org --json')
}

async function testMail(to: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const result = await call(globals, 'mail.test', { to })
  const { server, ok, detail, mend } = result
  if (ok || globals.json) {
    await print(globals, result, () => `${server} accepted the e-mail to ${result.to}.`)
  }
  if (!ok) throw new Refusal(`${server}: ${detail}: ${mend}`, 'mail_test_failed')
}
