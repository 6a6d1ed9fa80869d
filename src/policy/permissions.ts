/** All permissions. A route, hub method or command names exactly one of them. */
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

/** Whether a permission's operations change anything: for transports whose calls have no verb to tell. */
const EFFECTS: Readonly<Record<Permission, 'reads' | 'changes'>> = {
  'users:read': 'reads',
  'users:write': 'changes',
  'invites:read': 'reads',
  'invites:write': 'changes',
  'conversations:read': 'reads',
  'conversations:write': 'changes',
  'messages:read': 'reads',
  'messages:write': 'changes',
  'messages:search': 'reads',
  'attachments:read': 'reads',
  'attachments:write': 'changes',
  'calls:use': 'changes',
  'presence:read': 'reads',
  'friends:read': 'reads',
  'friends:write': 'changes',
  'mls:use': 'changes',
  'nodes:read': 'reads',
  'nodes:write': 'changes',
  'nodes:delete': 'changes',
  'mcp:read': 'reads',
  'mcp:write': 'changes',
  'mcp:admin': 'changes',
  'keys:read': 'reads',
  'keys:write': 'changes',
  'audit:read': 'reads',
  'privacy:self': 'changes',
  'privacy:any': 'changes',
  'retention:run': 'changes',
  'tenants:manage': 'changes',
  'admin:config': 'changes',
}

/**
 * What an operation requires of its caller: a permission, a signed-in account of any role, or nothing.
 * `public` treats every caller as anonymous; `anyone` identifies callers that present a valid credential.
 */
export type Requirement = Permission | 'signed-in' | 'anyone' | 'public'

/** Whether an operation with the requirement only reads. One without a permission may change something. */
export function onlyReads(requirement: Requirement): boolean {
  return Object.hasOwn(EFFECTS, requirement) && EFFECTS[requirement as Permission] === 'reads'
}

export type Role = 'owner' | 'admin' | 'member' | 'guest' | 'service'

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
  'nodes:read',
  'nodes:write',
  'nodes:delete',
  'mcp:read',
  'mcp:write',
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
  'mcp:admin',
  'audit:read',
  'privacy:any',
]

/** What a guest may do: take part in conversations that a member brought them into. */
const GUEST: readonly Permission[] = [
  'conversations:read',
  'messages:read',
  'messages:write',
  'attachments:read',
  'attachments:write',
  'presence:read',
  'friends:read',
  'mls:use',
  'privacy:self',
]

/** The upper bound for a service: each of its keys is granted a part of it. */
const SERVICE: readonly Permission[] = [
  ...MEMBER,
  'users:read',
  'invites:read',
  'invites:write',
  'mcp:admin',
  'audit:read',
]

const BY_ROLE: Record<Role, ReadonlySet<Permission>> = {
  owner: new Set(PERMISSIONS),
  admin: new Set(ADMIN),
  member: new Set(MEMBER),
  guest: new Set(GUEST),
  service: new Set(SERVICE),
}

/** Whether clients are told that the caller administers the server. */
export function isAdminRole(role: Role): boolean {
  return role === 'owner' || role === 'admin'
}

export function permissionsOf(role: Role): ReadonlySet<Permission> {
  return BY_ROLE[role]
}
