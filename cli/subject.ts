import type { Command } from 'commander'
import { confirm } from './ask.ts'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, table, time } from './output.ts'

const ISSUER = ['--issuer <url>', 'issuer of the tokens (MIMIR_OAUTH_ISSUER)'] as const

export function addSubject(program: Command): void {
  const subject = program
    .command('subject')
    .description('accounts linked to identity provider tokens')

  const link = subject
    .command('link')
    .description('link an account to the tokens of a subject')
    .argument('<user>', 'a service or user: username, e-mail or id')
    .argument('<subject>', 'the sub claim of the tokens')
    .option(...ISSUER)
    .option('--service', 'the account is a service; created if it does not exist')
    .action(linkSubject)
  withExamples(
    link,
    'mimir subject link backup-bot 0oa4x9c2 --service',
    'mimir subject link ada 10932',
  )

  const list = subject.command('list').description('list the subjects').action(listSubjects)
  withExamples(list, 'mimir subject list')

  const unlink = subject
    .command('unlink')
    .description('unlink the tokens of a subject')
    .argument('<subject>', 'the sub claim of the tokens')
    .option(...ISSUER)
    .option('--yes', 'do not ask')
    .action(unlinkSubject)
  withExamples(unlink, 'mimir subject unlink 0oa4x9c2')
}

async function linkSubject(
  user: string,
  subject: string,
  { issuer, service }: { issuer?: string; service?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const input = { user, subject, issuer, service }
  const linked = await call(globals, 'subject.link', input)
  await print(globals, linked, () => `Tokens of ${subject} now sign in as ${linked.username}.`)
}

async function listSubjects(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const subjects = await call(globals, 'subject.list', {})
  await print(globals, subjects, () =>
    table(
      ['account', 'subject', 'issuer', 'linked'],
      subjects.map((one) => [one.username, one.subject, one.issuer, time(one.createdAt)]),
      'No linked subjects.',
    ),
  )
}

async function unlinkSubject(
  subject: string,
  { issuer, yes }: { issuer?: string; yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Unlink the tokens of ${subject}?`, yes === undefined ? {} : { yes })
  const input = { subject, issuer }
  const result = await call(globals, 'subject.unlink', input)
  await print(globals, result, () => `Tokens of ${subject} are no longer accepted.`)
}
