import { Argument, type Command, Option } from 'commander'
import type { AccountStatus } from '../src/features/accounts/schema.ts'
import { withExamples } from './examples.ts'
import {
  approve,
  changeAccount,
  listUsers,
  reject,
  resetFactors,
  resetPassword,
  revokeSessions,
  setRole,
  showSessions,
  showUser,
} from './user-actions.ts'
import { eraseUser, exportUser } from './user-data.ts'
import { review } from './user-review.ts'
import { grantRole, revokeRole, showRoles } from './user-roles.ts'

const STATUSES: readonly AccountStatus[] = ['PendingEmail', 'PendingAdmin', 'Active', 'Suspended']

export function addUser(program: Command): void {
  const user = program.command('user').description('user accounts')

  const list = user
    .command('list')
    .description('list accounts')
    .addOption(new Option('--status <status>', 'only those with this status').choices(STATUSES))
    .action(listUsers)
  withExamples(list, 'mimir user list --status PendingAdmin', 'mimir user list --json')

  withUser(user, 'show', 'show an account').action(showUser)

  const approving = user
    .command('approve')
    .description('approve a registered user')
    .addArgument(new Argument('[user]', NAMED))
    .option('--all', 'everyone waiting for approval')
    .action(approve)
  withExamples(approving, 'mimir user approve ada', 'mimir user approve --all')

  withUser(
    user,
    'confirm-email',
    'confirm an e-mail address by hand; the account then waits for approval',
  ).action((name: string, _options: object, command: Command) =>
    changeAccount(command, 'user.confirm-email', { user: name }, 'waiting for approval'),
  )

  withUser(user, 'reject', 'reject a registered user').option('--yes', 'do not ask').action(reject)

  withUser(user, 'suspend', 'lock a user out and close their connections')
    .option('--reason <text>', 'kept in the audit log')
    .action((name: string, options: { reason?: string }, command: Command) =>
      changeAccount(command, 'user.suspend', { user: name, reason: options.reason }, 'suspended'),
    )

  withUser(user, 'reinstate', 'let a suspended user back in').action(
    (name: string, _options: object, command: Command) =>
      changeAccount(command, 'user.reinstate', { user: name }, 'reinstated'),
  )

  withUser(user, 'promote', 'make a user an administrator').action(setRole('admin'))
  withUser(user, 'demote', 'make an administrator an ordinary member, or a user a guest')
    .option('--guest', 'make them a guest, who takes part only where a member adds them')
    .action((name: string, options: { guest?: boolean }, command: Command) =>
      setRole(options.guest ? 'guest' : 'member')(name, options, command),
    )

  const grant = user
    .command('grant')
    .description('grant an account an extra role from MIMIR_RBAC_CONFIG')
    .addArgument(new Argument('<user>', NAMED))
    .argument('<role>', 'its name in the role file')
    .action(grantRole)
  withExamples(grant, 'mimir user grant ada analyst')

  const ungrant = user
    .command('ungrant')
    .description('take back a granted role')
    .addArgument(new Argument('<user>', NAMED))
    .argument('<role>')
    .action(revokeRole)
  withExamples(ungrant, 'mimir user ungrant ada analyst')

  withUser(user, 'roles', 'show the roles of an account').action(showRoles)

  withUser(
    user,
    'reset-password',
    'set a random password, shown once, or one from standard input; ends all sessions',
  )
    .option('--password-stdin', 'read the new password from standard input')
    .option('--yes', 'do not ask')
    .action(resetPassword)

  withUser(user, 'reset-mfa', 'remove the second factors of a user who lost them')
    .option('--yes', 'do not ask')
    .action(resetFactors)

  withUser(user, 'sessions', 'list the open sessions').action(showSessions)

  withUser(user, 'revoke-sessions', 'sign a user out everywhere')
    .option('--yes', 'do not ask')
    .action(revokeSessions)

  withUser(user, 'export', "export a user's data as a zip file")
    .option('--to <file>', 'default: mimir-ID.zip here')
    .action(exportUser)

  withUser(user, 'erase', 'erase a user’s personal data; a nameless account remains')
    .option('--now', 'now and permanently, instead of in seven days')
    .option('--messages', 'also delete the messages they wrote to others')
    .option('--yes', 'do not ask')
    .action(eraseUser)

  const walk = user
    .command('review')
    .description('review users waiting for approval, one by one')
    .action(review)
  withExamples(walk, 'mimir user review')
}

const NAMED = 'username, e-mail or id'

function withUser(parent: Command, name: string, description: string): Command {
  const command = parent
    .command(name)
    .description(description)
    .addArgument(new Argument('<user>', NAMED))
  return withExamples(
    command,
    `mimir user ${name} ada`,
    `mimir user ${name} ada@example.org --json`,
  )
}
