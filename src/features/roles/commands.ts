import { z } from 'zod'
import { defineCommand } from '../../control/define-command.ts'
import { line } from '../../platform/text.ts'
import { RoleName } from './schema.ts'
import { getRoles, grantRole, revokeRole } from './service.ts'

const Named = z.object({ user: line(1, 254) })
const RoleOf = Named.extend({ role: RoleName })

const grantRoleCommand = defineCommand({
  name: 'role.grant',
  input: RoleOf,
  run: grantRole,
})

const revokeRoleCommand = defineCommand({
  name: 'role.revoke',
  input: RoleOf,
  run: revokeRole,
})

const showRolesCommand = defineCommand({ name: 'role.show', input: Named, run: getRoles })

export const commands = [grantRoleCommand, revokeRoleCommand, showRolesCommand]
