import type { Command } from 'commander'
import { confirm } from './ask.ts'
import { call, connected } from './connection.ts'
import { withExamples } from './examples.ts'
import { globalsOf } from './globals.ts'
import { parseCount, parseDays } from './option-values.ts'
import { print, remark, table, time } from './output.ts'

export function addInvite(program: Command): void {
  const invite = program.command('invite').description('invitation links, one per person')

  const create = invite
    .command('create')
    .description('create a link; it is shown only once')
    .option('--note <text>', 'who it is for')
    .option('--expires <duration>', 'lifetime in days or weeks, at most 30d (7d)', parseDays)
    .option('--count <n>', 'create several; --json then prints a list', parseCount)
    .option('--qr', 'also draw the link as a QR code')
    .action(createInvitations)
  withExamples(
    create,
    'mimir invite create --note "for Ada" --expires 2w --qr',
    'mimir invite create --count 20 --json',
  )

  const list = invite.command('list').description('list the links').action(listInvitations)
  withExamples(list, 'mimir invite list', 'mimir invite list --json')

  const revoke = invite
    .command('revoke')
    .description('revoke an unused link')
    .argument('<id>', 'as shown by `mimir invite list`')
    .option('--yes', 'do not ask')
    .action(revokeInvitation)
  withExamples(revoke, 'mimir invite revoke 0199b1c2-7a3f-7c11-9d52-3f6b8a0c4e21')
}

interface CreateOptions {
  readonly note?: string
  readonly expires?: number
  readonly count?: number
  readonly qr?: boolean
}

async function createInvitations(options: CreateOptions, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const made = await connected(globals, async (connection) => {
    const invitations = []
    for (let n = 0; n < (options.count ?? 1); n++) {
      const input = { note: options.note, expiryDays: options.expires }
      invitations.push(await connection.call('invite.create', input))
    }
    return invitations
  })
  await print(globals, options.count === undefined ? made[0] : made, async () => {
    const lines = made.map(({ url }) => url)
    if (!options.qr) return lines.join('\n')
    const { renderUnicodeCompact } = await import('uqr')
    return lines.map((url) => `${url}\n\n${renderUnicodeCompact(url, { border: 2 })}`).join('\n\n')
  })
  if (!globals.json)
    remark(globals, `Valid until ${time(made[0]?.expiresAt)}, for one person each.`)
}

async function listInvitations(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const invitations = await call(globals, 'invite.list', {})
  await print(globals, invitations, () =>
    table(
      ['id', 'status', 'note', 'created', 'expires', 'used by'],
      invitations.map((one) => [
        one.id,
        one.status,
        one.note,
        time(one.createdAt),
        time(one.expiresAt),
        one.redeemedByUsername,
      ]),
      'No invitations. Create one with `mimir invite create`.',
    ),
  )
}

async function revokeInvitation(
  id: string,
  options: { yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Revoke the invitation ${id}?`, options)
  await call(globals, 'invite.revoke', { id })
  await print(globals, { id }, () => `The invitation ${id} is revoked.`)
}
