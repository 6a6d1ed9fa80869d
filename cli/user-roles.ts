import type { Command } from 'commander'
import { call } from './connection.ts'
import { globalsOf } from './globals.ts'
import { print, properties } from './output.ts'

export async function grantRole(
  user: string,
  role: string,
  _options: object,
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const roles = await call(globals, 'role.grant', { user, role })
  await print(globals, roles, () => `${roles.username} now also has the role ${role}.`)
}

export async function revokeRole(
  user: string,
  role: string,
  _options: object,
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const roles = await call(globals, 'role.revoke', { user, role })
  await print(globals, roles, () => `${roles.username} no longer has the role ${role}.`)
}

export async function showRoles(user: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const roles = await call(globals, 'role.show', { user })
  await print(globals, roles, () =>
    properties([
      ['role', roles.role],
      ['granted', roles.granted.join(', ')],
    ]),
  )
}
