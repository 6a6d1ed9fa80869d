import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line } from '../../platform/text.ts'
import { AccountStatus, Email, Password, Username } from '../accounts/schema.ts'
import {
  approveAccount,
  approveAll,
  confirmAccountEmail,
  createFirstAdmin,
  getAccount,
  getAccountSessions,
  getAccounts,
  reinstateAccount,
  rejectAccount,
  resetAccountPassword,
  revokeAccountSessions,
  setAccountRole,
  suspendAccount,
} from './accounts.ts'

const Named = z.object({ user: line(1, 254) })

const listUsersCommand = defineCommand({
  name: 'user.list',
  input: z.object({ status: AccountStatus.optional() }),
  run: getAccounts,
})

const showUserCommand = defineCommand({ name: 'user.show', input: Named, run: getAccount })

const approveUserCommand = defineCommand({
  name: 'user.approve',
  input: Named,
  run: approveAccount,
})

const approveAllCommand = defineCommand({
  name: 'user.approve-all',
  input: z.object({}),
  run: approveAll,
})

const confirmEmailCommand = defineCommand({
  name: 'user.confirm-email',
  input: Named,
  run: confirmAccountEmail,
})

const rejectUserCommand = defineCommand({
  name: 'user.reject',
  input: Named,
  run: rejectAccount,
})

const suspendUserCommand = defineCommand({
  name: 'user.suspend',
  input: Named.extend({ reason: line(1, 500).optional() }),
  run: suspendAccount,
})

const reinstateUserCommand = defineCommand({
  name: 'user.reinstate',
  input: Named,
  run: reinstateAccount,
})

const setUserRoleCommand = defineCommand({
  name: 'user.set-role',
  input: Named.extend({ role: z.enum(['admin', 'member', 'guest']) }),
  run: setAccountRole,
})

const resetPasswordCommand = defineCommand({
  name: 'user.reset-password',
  input: Named.extend({ password: Password.optional() }),
  run: resetAccountPassword,
})

const userSessionsCommand = defineCommand({
  name: 'user.sessions',
  input: Named,
  run: getAccountSessions,
})

const revokeSessionsCommand = defineCommand({
  name: 'user.revoke-sessions',
  input: Named,
  run: revokeAccountSessions,
})

const createFirstAdminCommand = defineCommand({
  name: 'user.create-first-admin',
  input: z.object({ username: Username, email: Email, password: Password }),
  run: createFirstAdmin,
})

export const commands = [
  listUsersCommand,
  showUserCommand,
  approveUserCommand,
  approveAllCommand,
  confirmEmailCommand,
  rejectUserCommand,
  suspendUserCommand,
  reinstateUserCommand,
  setUserRoleCommand,
  resetPasswordCommand,
  userSessionsCommand,
  revokeSessionsCommand,
  createFirstAdminCommand,
]
