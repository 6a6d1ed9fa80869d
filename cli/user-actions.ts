import type { Command } from 'commander'
import type { CommandOutput } from '../src/app/command-types.ts'
import { confirm, readSecret } from './ask.ts'
import { call } from './connection.ts'
import { globalsOf } from './globals.ts'
import { print, properties, remark, table, time } from './output.ts'

type Account = CommandOutput<'user.show'>

export async function listUsers(
  options: { status?: Account['status'] },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const users = await call(globals, 'user.list', options)
  await print(globals, users, () =>
    table(
      ['username', 'e-mail', 'status', 'role', 'created', 'last seen', 'id'],
      users.map((user) => [
        user.username,
        user.email,
        user.status,
        user.role,
        time(user.createdAt),
        time(user.lastSeenAt),
        user.id,
      ]),
      options.status ? `No accounts with status ${options.status}.` : 'No accounts yet.',
    ),
  )
}

export async function showUser(user: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const account = await call(globals, 'user.show', { user })
  await print(globals, account, () =>
    properties([
      ['username', account.username],
      ['e-mail', account.email],
      ['phone', account.phone],
      ['status', account.status],
      ['role', account.role],
      ['created', time(account.createdAt)],
      ['last seen', time(account.lastSeenAt)],
      ['id', account.id],
    ]),
  )
}

export async function approve(
  user: string | undefined,
  options: { all?: boolean },
  command: Command,
): Promise<void> {
  if ((user === undefined) === (options.all === undefined)) {
    command.error('error: name one user, or use --all for everyone waiting')
  }
  if (user !== undefined) return changeAccount(command, 'user.approve', { user }, 'approved')
  const globals = globalsOf(command)
  const approved = await call(globals, 'user.approve-all', {})
  await print(globals, approved, () =>
    approved.length === 0
      ? 'Nobody is waiting for approval.'
      : approved.map(({ username }) => `${username} is approved.`).join('\n'),
  )
}

/** Makes one change to one account and prints its new state. */
export async function changeAccount(
  command: Command,
  name: 'user.approve' | 'user.confirm-email' | 'user.reject' | 'user.suspend' | 'user.reinstate',
  input: { user: string; reason?: string | undefined },
  done: string,
): Promise<void> {
  const globals = globalsOf(command)
  const account = await call(globals, name, input)
  await print(globals, account, () => `${account.username} is ${done}.`)
}

export async function reject(
  user: string,
  options: { yes?: boolean },
  command: Command,
): Promise<void> {
  await confirm(`Reject ${user}?`, options)
  await changeAccount(command, 'user.reject', { user }, 'rejected')
}

const ROLE_WORDS = {
  admin: 'an administrator',
  member: 'an ordinary member',
  guest: 'a guest',
} as const

export function setRole(role: keyof typeof ROLE_WORDS) {
  return async (user: string, _options: object, command: Command): Promise<void> => {
    const globals = globalsOf(command)
    const input = { user, role }
    const account = await call(globals, 'user.set-role', input)
    await print(globals, account, () => `${account.username} is now ${ROLE_WORDS[role]}.`)
  }
}

export async function resetPassword(
  user: string,
  options: { passwordStdin?: boolean; yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Set a new password for ${user} and end their sessions?`, options)
  const given = options.passwordStdin ? { password: await readSecret() } : {}
  const input = { user, ...given }
  const result = await call(globals, 'user.reset-password', input)
  const { account, password } = result
  if (!globals.json) {
    const once = password === undefined ? '' : '; it is shown only once'
    remark(globals, `${account.username} has a new password${once}.`)
  }
  await print(globals, result, () => password ?? '')
}

export async function resetFactors(
  user: string,
  options: { yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Remove the second factors of ${user} and end their sessions?`, options)
  const result = await call(globals, 'user.reset-mfa', { user })
  await print(globals, result, () => `${result.username} now signs in without a second factor.`)
}

export async function showSessions(
  user: string,
  _options: object,
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const sessions = await call(globals, 'user.sessions', { user })
  await print(globals, sessions, () =>
    table(
      ['device', 'created', 'last used', 'expires', 'address', 'id'],
      sessions.map((session) => [
        session.name,
        time(session.createdAt),
        time(session.lastUsedAt),
        time(session.expiresAt),
        session.ip,
        session.id,
      ]),
      `${user} has no open sessions.`,
    ),
  )
}

export async function revokeSessions(
  user: string,
  options: { yes?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  await confirm(`Sign ${user} out everywhere?`, options)
  const input = { user }
  const result = await call(globals, 'user.revoke-sessions', input)
  await print(globals, result, () => `${result.revoked} sessions ended.`)
}
