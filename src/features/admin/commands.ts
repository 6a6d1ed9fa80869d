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

export const listUsersCommand = defineCommand({
  name: 'user.list',
  input: z.object({ status: AccountStatus.optional() }),
  run: getAccounts,
})

export const showUserCommand = defineCommand({ name: 'user.show', input: Named, run: getAccount })

export const approveUserCommand = defineCommand({
  name: 'user.approve',
  input: Named,
  run: approveAccount,
})

export const approveAllCommand = defineCommand({
  name: 'user.approve-all',
  input: z.object({}),
  run: approveAll,
})

export const confirmEmailCommand = defineCommand({
  name: 'user.confirm-email',
  input: Named,
  run: confirmAccountEmail,
})

export const rejectUserCommand = defineCommand({
  name: 'user.reject',
  input: Named,
  run: rejectAccount,
})

export const suspendUserCommand = defineCommand({
  name: 'user.suspend',
  input: Named.extend({ reason: line(1, 500).optional() }),
  run: suspendAccount,
})

export const reinstateUserCommand = defineCommand({
  name: 'user.reinstate',
  input: Named,
  run: reinstateAccount,
})

export const setUserRoleCommand = defineCommand({
  name: 'user.set-role',
  input: Named.extend({ role: z.enum(['admin', 'member', 'guest']) }),
  run: setAccountRole,
})

export const resetPasswordCommand = defineCommand({
  name: 'user.reset-password',
  input: Named.extend({ password: Password.optional() }),
  run: resetAccountPassword,
})

export const userSessionsCommand = defineCommand({
  name: 'user.sessions',
  input: Named,
  run: getAccountSessions,
})

export const revokeSessionsCommand = defineCommand({
  name: 'user.revoke-sessions',
  input: Named,
  run: revokeAccountSessions,
})

export const createFirstAdminCommand = defineCommand({
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
