import { readFile } from 'node:fs/promises'
import type { Config } from '../../config/config.ts'
import { createGuardedFetch } from '../../outbound/guarded-fetch.ts'
import { NO_ROLES, type RoleTable } from '../../policy/access-control.ts'
import { expandPermissions } from '../../policy/permission-names.ts'
import type { Permission } from '../../policy/permissions.ts'
import { RoleFile } from './schema.ts'

const MOST_BYTES = 1024 * 1024

/** Why there is no table; one line for the administrator. */
export class RoleFileError extends Error {
  constructor(why: string) {
    super(`MIMIR_RBAC_CONFIG: ${why}`)
    this.name = 'RoleFileError'
  }
}

/** The roles that `MIMIR_RBAC_CONFIG` describes, none when it is not set. Throws a `RoleFileError`. */
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
    throw new RoleFileError(`${source} cannot be read (${(error as Error).message})`)
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
      maxBytes: MOST_BYTES,
    })
    if (status === 200) return body.toString('utf8')
    throw new Error(`it answers ${status}`)
  } catch (error) {
    throw new RoleFileError(`${url} cannot be read (${(error as Error).message})`)
  }
}

/** Takes all of it or nothing: a file with one wrong name gives no roles at all. */
export function parseRoleTable(text: string): RoleTable {
  const file = RoleFile.safeParse(parseJson(text))
  if (!file.success) {
    const [issue] = file.error.issues
    throw new RoleFileError(`${issue?.path.join('.') || 'the file'}: ${issue?.message}`)
  }
  const { claimPath, defaultRole, roleMappings } = file.data
  const roles = new Map<string, ReadonlySet<Permission>>()
  for (const [role, { permissions: names }] of Object.entries(roleMappings)) {
    const expanded = expandPermissions(names)
    if ('unknown' in expanded) {
      throw new RoleFileError(`${role}: there is no permission "${expanded.unknown}"`)
    }
    roles.set(role, expanded.permissions)
  }
  if (defaultRole !== undefined && !roles.has(defaultRole)) {
    throw new RoleFileError(`defaultRole: there is no role "${defaultRole}" in roleMappings`)
  }
  return { claimPath, defaultRole, roles }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new RoleFileError('is not JSON')
  }
}
