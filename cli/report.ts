import type { Command } from 'commander'
import { call } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { print, table, time } from './output.ts'

export function addReport(program: Command): void {
  const report = program.command('report').description('messages that people have reported')

  const list = report
    .command('list')
    .description('list open reports, newest first, 200 at a time')
    .option('--resolved', 'list the closed ones instead')
    .option('--before <id>', 'only those older than this report')
    .action(listReports)
  withExamples(list, 'mimir report list', 'mimir report list --resolved --json')

  const resolve = report
    .command('resolve')
    .description('close a report')
    .argument('<id>', 'as shown by `mimir report list`')
    .action(resolveReport)
  withExamples(resolve, 'mimir report resolve 0199b1c2-7a3f-7c11-9d52-3f6b8a0c4e21')
}

interface ListOptions {
  readonly resolved?: boolean
  readonly before?: string
}

async function listReports(options: ListOptions, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const status = options.resolved ? 'resolved' : 'open'
  const input = { status, beforeId: options.before, limit: 200 } as const
  const reports = await call(globals, 'report.list', input)
  await print(globals, reports, () =>
    table(
      ['reported', 'by', 'sender', 'reason', 'closed', 'message', 'id'],
      reports.map((report) => [
        time(report.createdAt),
        report.reporterUsername,
        report.senderUsername,
        report.reason ?? '(cannot be read)',
        time(report.resolvedAt),
        report.messageId,
        report.id,
      ]),
      status === 'open' ? 'No open reports.' : 'No closed reports.',
    ),
  )
}

async function resolveReport(id: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  await call(globals, 'report.resolve', { id })
  await print(globals, { id }, () => `The report ${id} is closed.`)
}
