import { readFile } from 'node:fs/promises'
import type { Config } from '../../config/config.ts'
import { ConfigError } from '../../config/load.ts'
import { createGuardedFetch } from '../../outbound/guarded-fetch.ts'
import { reasonOf } from '../../platform/errors.ts'
import { NO_ROLES, type RoleTable } from '../../policy/access-control.ts'
import { expandPermissions } from '../../policy/permission-names.ts'
import type { Permission } from '../../policy/permissions.ts'
import { RoleFile } from './schema.ts'

const MAX_BYTES = 1024 * 1024

/** Why the table cannot be loaded; one line for the administrator. */
function bad(why: string): ConfigError {
  return new ConfigError([`MIMIR_RBAC_CONFIG: ${why}`])
}

/** The roles of `MIMIR_RBAC_CONFIG`; none if it is not set. Throws a `ConfigError`. */
export async function loadRoleTable(config: Config): Promise<RoleTable> {
  const source = config.access.rbacSource
  return source === undefined ? NO_ROLES : parseRoleTable(await read(source, config))
}

async function read(source: string, config: Config): Promise<string> {
  if (source.trimStart().startsWith('{')) return source
  if (/^https?:\/\//.test(source)) return download(source, config)
  try {
    return await readFile(source, 'utf8')
  } catch (error) {
    throw bad(`${source} cannot be read (${reasonOf(error)})`)
  }
}

async function download(url: string, config: Config): Promise<string> {
  const authorization = config.secrets.rbacAuthHeader
  try {
    const { status, body } = await createGuardedFetch(config.outboundAllow)({
      url,
      method: 'GET',
      headers: { accept: 'application/json', ...(authorization ? { authorization } : {}) },
      trusted: true,
      maxBytes: MAX_BYTES,
    })
    if (status === 200) return body.toString('utf8')
    throw new Error(`it answers ${status}`)
  } catch (error) {
    throw bad(`${url} cannot be read (${reasonOf(error)})`)
  }
}

/** All or nothing: a file with one wrong name is rejected as a whole. */
export function parseRoleTable(text: string): RoleTable {
  const file = RoleFile.safeParse(parseJson(text))
  if (!file.success) {
    const [issue] = file.error.issues
    throw bad(`${issue?.path.join('.') || 'the file'}: ${issue?.message}`)
  }
  const { claimPath, defaultRole, roleMappings } = file.data
  const roles = new Map<string, ReadonlySet<Permission>>()
  for (const [role, { permissions: names }] of Object.entries(roleMappings)) {
    const expanded = expandPermissions(names)
    if ('unknown' in expanded) {
      throw bad(`${role}: there is no permission "${expanded.unknown}"`)
    }
    roles.set(role, expanded.permissions)
  }
  if (defaultRole !== undefined && !roles.has(defaultRole)) {
    throw bad(`defaultRole: there is no role "${defaultRole}" in roleMappings`)
  }
  return { claimPath, defaultRole, roles }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw bad('is not JSON')
  }
}
