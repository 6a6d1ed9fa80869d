import type { Command } from 'commander'
import type {
  grantRoleCommand,
  revokeRoleCommand,
  showRolesCommand,
} from '../src/features/roles/commands.ts'
import { order } from './connection.ts'
import { globalsOf } from './globals.ts'
import { print, properties } from './output.ts'

export async function grantRole(
  user: string,
  role: string,
  _options: object,
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const roles = await order<typeof grantRoleCommand>(globals, 'role.grant', { user, role })
  await print(globals, roles, () => `${roles.username} now also has the role ${role}.`)
}

export async function revokeRole(
  user: string,
  role: string,
  _options: object,
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  const roles = await order<typeof revokeRoleCommand>(globals, 'role.revoke', { user, role })
  await print(globals, roles, () => `${roles.username} no longer has the role ${role}.`)
}

export async function showRoles(user: string, _options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  const roles = await order<typeof showRolesCommand>(globals, 'role.show', { user })
  await print(globals, roles, () =>
    properties([
      ['role', roles.role],
      ['granted', roles.granted.join(', ')],
    ]),
  )
}
