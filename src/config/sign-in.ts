import { splitList } from './setting.ts'
import type { SettingValues } from './settings.ts'

export const FACTOR_KINDS = ['passkey', 'totp'] as const
export type FactorKind = (typeof FACTOR_KINDS)[number]

export interface MfaConfig {
  /** The second factors that people may set up. */
  readonly methods: readonly FactorKind[]
  readonly requiredRoles: readonly string[]
  readonly totpIssuer: string
  readonly totpWindow: number
}

const ROLES = ['owner', 'admin', 'member', 'guest']
const NO_SECRET = 'is not offered: anyone with access to the line or mailbox gets the code'
/** Names used by earlier systems. */
const SYNONYMS: Readonly<Record<string, FactorKind>> = { hardware: 'passkey', webauthn: 'passkey' }

/** Reads the settings of the second factor; errors are added to `problems`. */
export function readMfa(values: SettingValues, publicUrl: string, problems: string[]): MfaConfig {
  const methods = new Set<FactorKind>()
  for (const word of splitList(values.MIMIR_MFA_METHODS.toLowerCase())) {
    const method = FACTOR_KINDS.find((kind) => kind === (SYNONYMS[word] ?? word))
    if (method) methods.add(method)
    else if (word === 'sms' || word === 'email') {
      problems.push(`MIMIR_MFA_METHODS: ${word} ${NO_SECRET} (NIST SP 800-63B §3.1.3)`)
    } else problems.push(`MIMIR_MFA_METHODS: ${word} is not one of ${FACTOR_KINDS.join(', ')}`)
  }
  const requiredRoles = splitList(values.MIMIR_MFA_REQUIRED_ROLES.toLowerCase())
  for (const role of requiredRoles) {
    if (!ROLES.includes(role)) {
      problems.push(`MIMIR_MFA_REQUIRED_ROLES: ${role} is not one of ${ROLES.join(', ')}`)
    }
  }
  if (requiredRoles.length > 0 && methods.size === 0) {
    problems.push('MIMIR_MFA_METHODS: there is no second factor to require')
  }
  return {
    methods: [...methods],
    requiredRoles,
    totpIssuer: values.MIMIR_MFA_TOTP_ISSUER ?? new URL(publicUrl).hostname,
    totpWindow: values.MIMIR_MFA_TOTP_WINDOW,
  }
}

/**
 * Redirect URIs of apps, matched exactly (RFC 8252 §7.1). Loopback addresses need no setting, since their
 * ports are not known in advance.
 */
export function readAppRedirects(list: string, problems: string[]): readonly string[] {
  const redirects = splitList(list)
  for (const redirect of redirects) {
    const url = URL.parse(redirect)
    const isScript = /^(javascript|data|vbscript|file|blob|http):$/.test(url?.protocol ?? '')
    if (!url || isScript || url.hash) {
      problems.push(`MIMIR_APP_REDIRECTS: ${redirect} is not an app’s address`)
    }
  }
  return redirects
}
