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
  const user = program.command('user').description('the people of this server')

  const list = user
    .command('list')
    .description('list accounts')
    .addOption(new Option('--status <status>', 'only these').choices(STATUSES))
    .action(listUsers)
  withExamples(list, 'mimir user list --status PendingAdmin', 'mimir user list --json')

  withUser(user, 'show', 'show an account').action(showUser)

  const approving = user
    .command('approve')
    .description('let somebody in who registered')
    .addArgument(new Argument('[user]', NAMED))
    .option('--all', 'everyone who waits')
    .action(approve)
  withExamples(approving, 'mimir user approve ada', 'mimir user approve --all')

  withUser(
    user,
    'confirm-email',
    'take an address as confirmed whose letter did not arrive; the account then waits for approval',
  ).action((name: string, _options: object, command: Command) =>
    changeAccount(command, 'user.confirm-email', { user: name }, 'waiting for approval'),
  )

  withUser(user, 'reject', 'refuse somebody who registered')
    .option('--yes', 'do not ask')
    .action(reject)

  withUser(user, 'suspend', 'shut somebody out and close their connections')
    .option('--reason <text>', 'kept in the audit log')
    .action((name: string, options: { reason?: string }, command: Command) =>
      changeAccount(command, 'user.suspend', { user: name, reason: options.reason }, 'suspended'),
    )

  withUser(user, 'reinstate', 'let a suspended person in again').action(
    (name: string, _options: object, command: Command) =>
      changeAccount(command, 'user.reinstate', { user: name }, 'reinstated'),
  )

  withUser(user, 'promote', 'make somebody an administrator').action(setRole('admin'))
  withUser(user, 'demote', 'make an administrator a plain member, or somebody a guest')
    .option('--guest', 'a guest: takes part where a member took them along')
    .action((name: string, options: { guest?: boolean }, command: Command) =>
      setRole(options.guest ? 'guest' : 'member')(name, options, command),
    )

  const grant = user
    .command('grant')
    .description('give an account a role of MIMIR_RBAC_CONFIG beside its own')
    .addArgument(new Argument('<user>', NAMED))
    .argument('<role>', 'as the role file calls it')
    .action(grantRole)
  withExamples(grant, 'mimir user grant ada analyst')

  const ungrant = user
    .command('ungrant')
    .description('take such a role back')
    .addArgument(new Argument('<user>', NAMED))
    .argument('<role>')
    .action(revokeRole)
  withExamples(ungrant, 'mimir user ungrant ada analyst')

  withUser(user, 'roles', 'show the roles of an account').action(showRoles)

  withUser(
    user,
    'reset-password',
    'set a password, a random one that is shown once or one from standard input; ends every session',
  )
    .option('--password-stdin', 'read the new password from standard input')
    .option('--yes', 'do not ask')
    .action(resetPassword)

  withUser(user, 'reset-mfa', 'take the second factors away of somebody who lost them')
    .option('--yes', 'do not ask')
    .action(resetFactors)

  withUser(user, 'sessions', 'list the open sessions').action(showSessions)

  withUser(user, 'revoke-sessions', 'sign somebody out everywhere')
    .option('--yes', 'do not ask')
    .action(revokeSessions)

  withUser(user, 'export', "write a person's data as a zip")
    .option('--to <file>', 'default: mimir-ID.zip here')
    .action(exportUser)

  withUser(user, 'erase', 'take away what is a person’s alone; the account stays without a name')
    .option('--now', 'at once and for good, instead of in seven days')
    .option('--messages', 'delete what the person wrote to others too')
    .option('--yes', 'do not ask')
    .action(eraseUser)

  const walk = user
    .command('review')
    .description('walk through those who wait, one by one')
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
