import { z } from 'zod'
import { line } from '../../platform/text.ts'

/** A role name as an identity provider writes it: group names contain spaces, slashes, capitals. */
export const RoleName = line(1, 200)

/** `MIMIR_RBAC_CONFIG`: the role file, in the format of earlier systems. */
export const RoleFile = z.strictObject({
  version: z.literal(['1.0', '1', 1], 'is "1.0"'),
  /** Dots lead into nested claims: `realm_access.roles`. */
  claimPath: z.string().trim().min(1).max(200),
  defaultRole: RoleName.optional(),
  roleMappings: z.record(
    RoleName,
    z.strictObject({
      description: z.string().max(1000).optional(),
      permissions: z.array(z.string()),
    }),
  ),
  $schema: z.string().optional(),
})
export type RoleFile = z.output<typeof RoleFile>

/** An account's roles: its built-in one, and those granted to it from the role file. */
export const AccountRoles = z.strictObject({
  userId: z.string(),
  username: z.string(),
  role: z.string(),
  granted: z.array(z.string()),
})
export type AccountRoles = z.output<typeof AccountRoles>
