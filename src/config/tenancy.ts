import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_TENANT, isTenantId } from '../policy/tenant-id.ts'
import type { SettingValues } from './settings.ts'

/** Where the tenant of a request is read from. */
export type TenantSource =
  | { readonly kind: 'host' }
  /** A header, in lower case, that a trusted proxy sets. */
  | { readonly kind: 'header'; readonly name: string }
  /** The path to a claim in bearer tokens. */
  | { readonly kind: 'jwt_claim'; readonly path: readonly string[] }
  | { readonly kind: 'static'; readonly id: string }

/** Settings of a server with several tenants. */
export interface TenancyConfig {
  readonly source: TenantSource
  /** Holds a directory for each tenant but the default one. */
  readonly directory: string
}

/** Headers that already have a meaning, so that a proxy cannot use them to name a tenant. */
const TAKEN = new Set(['host', 'authorization', 'cookie', 'x-api-key', 'x-forwarded-for', 'origin'])

/** Claims that the server's own access tokens, which carry the tenant's claim too, use for something else. */
const MEANT = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
  ...['sid', 'email', 'username', 'admin'],
])

/** Checks the settings; errors are added to `problems`. Undefined if there is only one tenant. */
export function readTenancy(
  values: SettingValues,
  rootDir: string,
  problems: string[],
): TenancyConfig | undefined {
  const source = readSource(values, problems)
  if (!values.MIMIR_ENABLE_MULTI_TENANCY) {
    if (values.MIMIR_TENANT_ID_SOURCE !== `static:${DEFAULT_TENANT}`) {
      problems.push('MIMIR_TENANT_ID_SOURCE: set, but MIMIR_ENABLE_MULTI_TENANCY is not true')
    }
    return undefined
  }
  if (!values.MIMIR_ENABLE_SECURITY) {
    problems.push('MIMIR_ENABLE_SECURITY: has to be true with MIMIR_ENABLE_MULTI_TENANCY')
  }
  return source && { source, directory: tenantsDirectory(rootDir) }
}

export function tenantsDirectory(rootDir: string): string {
  return join(rootDir, 'tenants')
}

/** The data directory of a tenant. */
export function tenantDirectory(rootDir: string, tenantId: string): string {
  return tenantId === DEFAULT_TENANT ? rootDir : join(tenantsDirectory(rootDir), tenantId)
}

/** The same for an unchecked name; undefined if there is no such tenant. */
export function findTenantDirectory(rootDir: string, name: string): string | undefined {
  const directory = isTenantId(name) ? tenantDirectory(rootDir, name) : undefined
  return directory !== undefined && (directory === rootDir || existsSync(directory))
    ? directory
    : undefined
}

/**
 * The PostgreSQL schema of a tenant; undefined: the connection's default. Ids have no underscores, so
 * that two ids never share a schema; with the longest id the name has 63 bytes, PostgreSQL's limit.
 */
export function tenantSchema(tenantId: string): string | undefined {
  return tenantId === DEFAULT_TENANT ? undefined : `t_${tenantId.replaceAll('-', '_')}`
}

function readSource(values: SettingValues, problems: string[]): TenantSource | undefined {
  const text = values.MIMIR_TENANT_ID_SOURCE
  const wrong = (why: string) => {
    problems.push(`MIMIR_TENANT_ID_SOURCE: ${why}`)
    return undefined
  }
  const [, kind, detail = ''] = /^([a-z_]+)(?::(.*))?$/.exec(text) ?? []
  switch (kind) {
    case 'host':
      return detail === '' ? { kind } : wrong('nothing may follow host')
    case 'header': {
      const name = detail.toLowerCase()
      if (!/^[a-z0-9-]+$/.test(name) || TAKEN.has(name))
        return wrong('header:NAME, like header:x-tenant')
      if (values.MIMIR_TRUSTED_PROXIES === '') {
        return wrong('a header is trusted only from MIMIR_TRUSTED_PROXIES, and none is set')
      }
      return { kind, name }
    }
    case 'jwt_claim': {
      const path = detail.split('.')
      if (path.some((name) => name === '')) return wrong('jwt_claim:PATH, like jwt_claim:org_id')
      if (MEANT.has(path[0] as string)) return wrong(`the claim ${path[0]} has another meaning`)
      return { kind, path }
    }
    case 'static':
      return isTenantId(detail) ? { kind, id: detail } : wrong('static:ID, like static:default')
    default:
      return wrong(`${text} is not one of host, header:NAME, jwt_claim:PATH, static:ID`)
  }
}
