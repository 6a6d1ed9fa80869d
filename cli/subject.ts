import type { Command } from 'commander'
import type {
  linkSubjectCommand,
  listSubjectsCommand,
  unlinkSubjectCommand,
} from '../src/features/jwt-bearers/commands.ts'
import { confirm } from './ask.ts'
import { order } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, table, time } from './output.ts'

const ISSUER = ['--issuer <url>', 'who signs the tokens (MIMIR_OAUTH_ISSUER)'] as const

export function addSubject(program: Command): void {
  const subject = program
    .command('subject')
    .description('accounts that the tokens of an identity provider open')

  const link = subject
    .command('link')
    .description('let an account in by tokens about a subject')
    .argument('<user>', 'a service or a person: username, e-mail or id')
    .argument('<subject>', 'the sub of the tokens')
    .option(...ISSUER)
    .option('--service', 'the account is a service; it is made if there is none of the name')
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
    .description('let nobody in by tokens about a subject any more')
    .argument('<subject>', 'the sub of the tokens')
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
  const linked = await order<typeof linkSubjectCommand>(globals, 'subject.link', input)
  await print(globals, linked, () => `Tokens about ${subject} open ${linked.username}.`)
}

async function listSubjects(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const subjects = await order<typeof listSubjectsCommand>(globals, 'subject.list', {})
  await print(globals, subjects, () =>
    table(
      ['account', 'subject', 'issuer', 'since'],
      subjects.map((one) => [one.username, one.subject, one.issuer, time(one.createdAt)]),
      'No account is opened by such tokens.',
    ),
  )
}

async function unlinkSubject(
  subject: string,
  { issuer, yes }: { issuer?: string; yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Let nobody in by tokens about ${subject}?`, yes === undefined ? {} : { yes })
  const input = { subject, issuer }
  const result = await order<typeof unlinkSubjectCommand>(globals, 'subject.unlink', input)
  await print(globals, result, () => `Tokens about ${subject} open nothing any more.`)
}
