import type { AdmitRule, OidcProvider } from '../../config/oidc.ts'
import type { UserRow } from '../../db/tables.ts'
import { type Claims, textAt, valuesAt, verifiedEmail } from './claims.ts'

/** The claim with groups if the provider's settings name none. */
const GROUPS = 'groups'

/** Whether a rule admits a user without an invitation, and how far; undefined if none does. */
export function admissionByRule(
  provider: OidcProvider,
  claims: Claims,
): AdmitRule['admit'] | undefined {
  const admitting = provider.admit.filter((rule) => holds(rule, provider, claims))
  if (admitting.some(({ admit }) => admit === 'active')) return 'active'
  return admitting[0]?.admit
}

function holds(rule: AdmitRule, provider: OidcProvider, claims: Claims): boolean {
  const { domains, hostedDomains, tenants, groups } = rule
  const emailDomain = verifiedEmail(claims)?.split('@').at(-1)
  const tenant = textAt(claims, 'tid') ?? textAt(claims, 'org_id')
  const theirs = valuesAt(claims, provider.claimPath ?? GROUPS) ?? []
  const isIn = (list: readonly string[], value: string | undefined) =>
    value !== undefined && list.includes(value)
  return (
    (domains === undefined || isIn(domains, emailDomain)) &&
    (hostedDomains === undefined || isIn(hostedDomains, textAt(claims, 'hd')?.toLowerCase())) &&
    (tenants === undefined || isIn(tenants, tenant)) &&
    (groups === undefined || theirs.some((group) => groups.includes(group)))
  )
}

type Role = UserRow['role']
const RANKS: readonly Role[] = ['guest', 'member', 'admin', 'owner']
const rank = (role: Role) => RANKS.indexOf(role)

/** The highest role to which values at the claim path are mapped; undefined if none is. */
export function mappedRole(provider: OidcProvider, values: readonly string[]): Role | undefined {
  const { roles } = provider
  if (!roles) return undefined
  return values
    .filter((value) => Object.hasOwn(roles, value))
    .map((value) => roles[value] as Role)
    .sort((a, b) => rank(b) - rank(a))[0]
}

/**
 * The role after a sign-in. Claims raise a role, and take back what they granted; a role given by an
 * administrator stays, and the owner's never changes. Claims that are missing (`values` undefined) only take back.
 */
export function roleAfter(
  present: Role,
  granted: Role | null,
  provider: OidcProvider,
  values: readonly string[] | undefined,
): { role: Role; granted: Role | null } {
  if (present === 'owner' || present === 'service') return { role: present, granted: null }
  if (values === undefined) {
    const role = roleWithout(present, granted)
    return { role, granted: role === present ? granted : null }
  }
  const mapped = mappedRole(provider, values)
  const isTheirs = granted !== null && granted === present
  if (isTheirs) return { role: mapped ?? 'member', granted: mapped ?? null }
  if (mapped !== undefined && rank(mapped) > rank(present)) return { role: mapped, granted: mapped }
  return { role: present, granted: null }
}

/** The role without the identity whose claims granted one: that goes, unless something would be gained. */
export function roleWithout(present: Role, granted: Role | null): Role {
  return granted === present && rank(present) > rank('member') ? 'member' : present
}
