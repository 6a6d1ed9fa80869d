const OUTSIDE = 'handled outside of this server; see docs/compliance.md'
const ENCRYPTED = 'messages and files are always encrypted, with keys from files: `mimir key`'
const UNREAD =
  'nothing reads what people write in order to classify it; the log masks personal data'

/** Settings of earlier systems by their first words, where there were many, each with what replaces them. */
export const EARLIER_FAMILIES: readonly (readonly [family: RegExp, replacement: string])[] = [
  [/^MIMIR_DEV_USER_/, 'people are invited: `mimir invite create`'],
  [/^MIMIR_(ENABLE_ENCRYPTION_AT_REST$|ENCRYPTION_|VAULT_|AWS_)/, ENCRYPTED],
  [/^MIMIR_FIPS_CRYPTO_PROVIDER$/, 'see MIMIR_FIPS_MODE_ENABLED'],
  [
    /^MIMIR_(ENABLE_)?(PII|PHI|DATA_CLASSIFICATION|DATA_SENSITIVITY|DEFAULT_DATA_SENSITIVITY)/,
    UNREAD,
  ],
  [/^MIMIR_MFA_YUBIKEY_/, 'a YubiKey is a passkey'],
  [/^MIMIR_MFA_(SMS|EMAIL)_/, 'codes by SMS or e-mail are not offered: use passkeys or TOTP'],
  [/^MIMIR_(SOFT_DELETE_ENABLED|TRASH_RETENTION_DAYS)$/, 'deleted content is erased at once'],
  [/^MIMIR_HIPAA_EMERGENCY_/, 'no role opens what others wrote'],
  [/^MIMIR_METRICS_(FAILED_AUTH|RATE_LIMIT|LARGE|UNUSUAL)/, 'see docs/metrics.md'],
  [/^MIMIR_(ENABLE_)?(ANOMALY|IDS|WAZUH|VULN_SCAN|SNYK|TRIVY|PENTEST|BUGBOUNTY)(_|$)/, OUTSIDE],
  [/^MIMIR_(ENABLE_)?(DR|DISASTER_RECOVERY|AUTO_BACKUP|BACKUP|GRAFANA)(_|$)/, OUTSIDE],
  [/^MIMIR_FISMA_/, OUTSIDE],
]
