import { PERMISSIONS, type Permission } from './permissions.ts'

/**
 * Names that earlier systems used for permissions called otherwise here. A name without a counterpart is
 * accepted and permits nothing, so that their files keep working without granting more.
 */
const EARLIER_NAMES: Readonly<Record<string, readonly Permission[]>> = {
  'rooms:read': ['conversations:read'],
  'rooms:write': ['conversations:write'],
  'files:read': ['attachments:read'],
  'files:write': ['attachments:write'],
  'files:index': [],
  'search:execute': ['nodes:read'],
  ...sameAs('nodes', ['todos', 'edges']),
  'keys:delete': ['keys:write'],
  'admin:users': ['users:read', 'users:write'],
  'privacy:export': ['privacy:self'],
  'privacy:erase': ['privacy:self'],
  'chat:use': [],
  'orchestration:read': [],
  'orchestration:write': [],
  'orchestration:execute': [],
  'orchestration:cancel': [],
  'mcp:memory_read': ['mcp:read'],
  'mcp:search': ['mcp:read'],
  'mcp:memory_write': ['mcp:write'],
  'mcp:memory_delete': ['mcp:write'],
  'mcp:edges': ['mcp:write'],
  'mcp:todos': ['mcp:write'],
  'mcp:files': [],
  'mcp:orchestration': [],
}

function sameAs(resource: string, names: readonly string[]) {
  const entries = names.flatMap((name) =>
    ['read', 'write', 'delete'].map((act) => [`${name}:${act}`, [`${resource}:${act}`]]),
  )
  return Object.fromEntries(entries) as Record<string, Permission[]>
}

/**
 * Expands a name from a role file or a key's scopes: one permission, all of a resource (`messages:*`),
 * everything (`*`), or an earlier system's name. Undefined for an unknown name.
 */
export function expandPermission(name: string): readonly Permission[] | undefined {
  if (name === '*') return PERMISSIONS
  if (name.endsWith(':*')) return expandResource(name.slice(0, -1))
  return PERMISSIONS.find((permission) => permission === name)
    ? [name as Permission]
    : Object.hasOwn(EARLIER_NAMES, name)
      ? EARLIER_NAMES[name]
      : undefined
}

function expandResource(prefix: string): readonly Permission[] | undefined {
  const own = PERMISSIONS.filter((permission) => permission.startsWith(prefix))
  // `mcp:*` is ours and already covers what an earlier system kept under that prefix.
  if (own.length > 0) return own
  const earlier = Object.keys(EARLIER_NAMES).filter((name) => name.startsWith(prefix))
  if (earlier.length === 0) return undefined
  return earlier.flatMap((name) => EARLIER_NAMES[name] ?? [])
}

/** The union of the permissions of all names, or the first unknown name. */
export function expandPermissions(
  names: readonly string[],
): { permissions: ReadonlySet<Permission> } | { unknown: string } {
  const permissions = new Set<Permission>()
  for (const name of names) {
    const expanded = expandPermission(name)
    if (!expanded) return { unknown: name }
    for (const permission of expanded) permissions.add(permission)
  }
  return { permissions }
}
