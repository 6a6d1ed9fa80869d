/** Every permission there is. A route, hub method or command names exactly one of them. */
export const PERMISSIONS = [
  'users:read',
  'users:write',
  'invites:read',
  'invites:write',
  'conversations:read',
  'conversations:write',
  'messages:read',
  'messages:write',
  'messages:search',
  'attachments:read',
  'attachments:write',
  'calls:use',
  'presence:read',
  'friends:read',
  'friends:write',
  'mls:use',
  'nodes:read',
  'nodes:write',
  'nodes:delete',
  'mcp:read',
  'mcp:write',
  'mcp:admin',
  'keys:read',
  'keys:write',
  'audit:read',
  'privacy:self',
  'privacy:any',
  'retention:run',
  'tenants:manage',
  'admin:config',
] as const

export type Permission = (typeof PERMISSIONS)[number]

/** What an operation asks of its caller: a permission, a signed-in account of any role, or nothing. */
export type Requirement = Permission | 'signed-in' | 'public'

export type Role = 'owner' | 'admin' | 'member'

const MEMBER: readonly Permission[] = [
  'conversations:read',
  'conversations:write',
  'messages:read',
  'messages:write',
  'messages:search',
  'attachments:read',
  'attachments:write',
  'calls:use',
  'presence:read',
  'friends:read',
  'friends:write',
  'mls:use',
  'privacy:self',
]

const ADMIN: readonly Permission[] = [
  ...MEMBER,
  'users:read',
  'users:write',
  'invites:read',
  'invites:write',
  'keys:read',
  'keys:write',
  'audit:read',
]

const BY_ROLE: Record<Role, ReadonlySet<Permission>> = {
  owner: new Set(PERMISSIONS),
  admin: new Set(ADMIN),
  member: new Set(MEMBER),
}

export function permissionsOf(role: Role): ReadonlySet<Permission> {
  return BY_ROLE[role]
}
