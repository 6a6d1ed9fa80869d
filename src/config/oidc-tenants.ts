import { DEFAULT_TENANT } from '../policy/tenant-id.ts'
import type { Place } from './config.ts'
import type { OidcSettings } from './oidc.ts'
import type { TenancyConfig } from './tenancy.ts'

/**
 * Selects the providers of one tenant: those that name it, and those that name none if they are in its
 * own file, or in the server's list and this is the default tenant.
 */
export function providersOfTenant(
  settings: OidcSettings,
  { tenantId, hasOwnProviders }: Place,
  tenancy: TenancyConfig | undefined,
  problems: string[],
): OidcSettings {
  const unnamed = hasOwnProviders ? tenantId : DEFAULT_TENANT
  const providers = settings.providers.filter(({ tenant = unnamed }) => tenant === tenantId)
  const others = settings.providers.filter((provider) => !providers.includes(provider))
  const [stray] = others
  if (stray && (tenancy === undefined || hasOwnProviders)) {
    const why = hasOwnProviders ? 'these are another one’s settings' : 'there is only one tenant'
    problems.push(
      `MIMIR_OIDC_PROVIDERS: ${stray.name} belongs to the tenant ${stray.tenant}: ${why}`,
    )
  }
  const names = new Set(providers.map(({ name }) => name))
  const secrets = Object.entries(settings.secrets).filter(([name]) => names.has(name))
  return { providers, secrets: Object.fromEntries(secrets) }
}
