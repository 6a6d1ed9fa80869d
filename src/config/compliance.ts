import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { reasonOf } from '../platform/errors.ts'
import { type COMPLIANCE_SETTINGS, MAX_DAYS } from './compliance-settings.ts'
import { splitAddress, splitList } from './setting.ts'

type Values = {
  [K in keyof typeof COMPLIANCE_SETTINGS]: z.output<(typeof COMPLIANCE_SETTINGS)[K]['schema']>
}

export const AUDIT_SINKS = ['stdout', 'file', 'webhook', 'syslog'] as const
export type AuditSinkName = (typeof AUDIT_SINKS)[number]

export interface AuditConfig {
  readonly sinks: readonly AuditSinkName[]
  readonly file: {
    readonly path: string
    readonly maxBytes: number
    /** 0: older files are kept. */
    readonly maxAgeDays: number
    readonly maxBackups: number
  }
  readonly webhook: { readonly url: string; readonly batchSize: number }
  readonly syslog: {
    readonly host: string
    readonly port: number
    /** In PEM; undefined: the system's own. */
    readonly certificates: string | undefined
  }
  readonly strict: boolean
}

/** In days; 0: kept for ever. */
export interface RetentionConfig {
  readonly messageDays: number
  /** After their completion. */
  readonly todoDays: number
  /** After they were archived. */
  readonly todoListDays: number
  /** After the last change, for nodes of all types not named above or in `nodeDaysByType`. */
  readonly nodeDays: number
  readonly nodeDaysByType: Readonly<Record<string, number>>
  readonly auditDays: number
}

export interface ComplianceConfig {
  readonly audit: AuditConfig
  readonly retention: RetentionConfig
  /** The terms that everybody must have agreed to; undefined: none. */
  readonly consent: { readonly version: string; readonly url: string | undefined } | undefined
  /** If set, reads are recorded too, and idle sessions end. */
  readonly watched: { readonly idleSeconds: number } | undefined
  readonly metrics: {
    /** Undefined: no metrics are served. */
    readonly listen: { readonly host: string; readonly port: number } | undefined
    /** The administrator set the address: failing to listen on it is an error. */
    readonly chosen: boolean
  }
  readonly alerts: { readonly email: string | undefined; readonly webhookUrl: string | undefined }
}

const DEFAULT_METRICS = '127.0.0.1:9464'
const AUDIT_DAYS = 365
const TODO_DAYS = 90
/** Seven years: documents under HIPAA are kept for six (45 CFR 164.316(b)(2)). */
const HIPAA_AUDIT_DAYS = 2555

/** Cross-checks the values; errors are added to `problems`. */
export function readCompliance(
  values: Values,
  server: { readonly dataDir: string; readonly publicUrl: string },
  problems: string[],
): ComplianceConfig {
  refuseFips(values, problems)
  const regulated = values.MIMIR_ENABLE_HIPAA || values.MIMIR_ENABLE_FISMA
  if (regulated && !server.publicUrl.startsWith('https://')) {
    problems.push('MIMIR_PUBLIC_URL: has to be https with MIMIR_ENABLE_HIPAA or MIMIR_ENABLE_FISMA')
  }
  const metricsListen = values.MIMIR_METRICS_LISTEN ?? DEFAULT_METRICS
  return {
    audit: readAudit(values, server.dataDir, problems),
    retention: {
      ...readRetention(values, problems),
      auditDays:
        values.MIMIR_DATA_RETENTION_AUDIT_DAYS ??
        (values.MIMIR_ENABLE_HIPAA ? HIPAA_AUDIT_DAYS : AUDIT_DAYS),
    },
    consent: values.MIMIR_GDPR_REQUIRE_CONSENT
      ? { version: values.MIMIR_GDPR_CONSENT_VERSION, url: values.MIMIR_GDPR_CONSENT_URL }
      : undefined,
    watched: regulated ? { idleSeconds: values.MIMIR_HIPAA_AUTO_LOGOFF_TIMEOUT } : undefined,
    metrics: {
      listen: metricsListen === 'off' ? undefined : splitAddress(metricsListen),
      chosen: values.MIMIR_METRICS_LISTEN !== undefined,
    },
    alerts: { email: values.MIMIR_ALERT_EMAIL, webhookUrl: values.MIMIR_ALERT_WEBHOOK_URL },
  }
}

/** How long people's content is kept: for ever, unless the administrator enables retention. */
function readRetention(values: Values, problems: string[]): Omit<RetentionConfig, 'auditDays'> {
  const first = readPolicies('MIMIR_DATA_RETENTION_POLICIES', values, problems)
  const second = readPolicies('MIMIR_RETENTION_POLICY', values, problems)
  if (first && second && JSON.stringify(first) !== JSON.stringify(second)) {
    problems.push('MIMIR_DATA_RETENTION_POLICIES and MIMIR_RETENTION_POLICY: they differ')
  }
  if (!values.MIMIR_DATA_RETENTION_ENABLED) {
    return { messageDays: 0, todoDays: 0, todoListDays: 0, nodeDays: 0, nodeDaysByType: {} }
  }
  const days = values.MIMIR_DATA_RETENTION_DEFAULT_DAYS
  const { message, todo, todoList, ...nodeDaysByType } = first ?? second ?? {}
  return {
    messageDays: message ?? days,
    todoDays: todo ?? TODO_DAYS,
    todoListDays: todoList ?? TODO_DAYS,
    nodeDays: days,
    nodeDaysByType,
  }
}

/** Keys are node types as in features/nodes/schema.ts, or `message`. */
const Policies = z.record(
  z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/),
  z.number().int().min(0).max(MAX_DAYS),
)

function readPolicies(
  name: 'MIMIR_DATA_RETENTION_POLICIES' | 'MIMIR_RETENTION_POLICY',
  values: Values,
  problems: string[],
): Readonly<Record<string, number>> | undefined {
  const json = values[name]
  if (json === undefined) return undefined
  try {
    return Policies.parse(JSON.parse(json))
  } catch {
    problems.push(`${name}: has to be JSON of whole days by type, like {"todo":90,"memory":365}`)
    return undefined
  }
}

function refuseFips(values: Values, problems: string[]): void {
  if (!values.MIMIR_FIPS_MODE_ENABLED) return
  problems.push(
    'MIMIR_FIPS_MODE_ENABLED: this server has no cryptographic module validated under FIPS 140-3 ' +
      'and does not pretend to: run it where FIPS is not required, or leave the setting out',
  )
}

function readAudit(values: Values, dataDir: string, problems: string[]): AuditConfig {
  const syslog = values.MIMIR_AUDIT_SYSLOG && splitAddress(values.MIMIR_AUDIT_SYSLOG)
  const sinks = readSinks(values.MIMIR_AUDIT_LOG_DESTINATION, problems)
  const needs = (sink: AuditSinkName, setting: keyof Values) => {
    if (sinks.includes(sink) && !values[setting]) {
      problems.push(`${setting}: needed where MIMIR_AUDIT_LOG_DESTINATION names ${sink}`)
    }
  }
  needs('webhook', 'MIMIR_AUDIT_WEBHOOK_URL')
  needs('webhook', 'MIMIR_AUDIT_WEBHOOK_SECRET')
  needs('syslog', 'MIMIR_AUDIT_SYSLOG')
  return {
    sinks,
    file: {
      path: values.MIMIR_AUDIT_LOG_FILE ?? join(dataDir, 'logs', 'audit.jsonl'),
      maxBytes: values.MIMIR_AUDIT_LOG_MAX_SIZE,
      maxAgeDays: values.MIMIR_AUDIT_LOG_MAX_AGE,
      maxBackups: values.MIMIR_AUDIT_LOG_MAX_BACKUPS,
    },
    webhook: {
      url: values.MIMIR_AUDIT_WEBHOOK_URL ?? '',
      batchSize: values.MIMIR_AUDIT_WEBHOOK_BATCH_SIZE,
    },
    syslog: {
      host: syslog ? syslog.host : '',
      port: syslog ? syslog.port : 0,
      certificates: readCertificates(values.MIMIR_AUDIT_SYSLOG_CA, problems),
    },
    strict: values.MIMIR_AUDIT_STRICT,
  }
}

function readSinks(list: string, problems: string[]): AuditSinkName[] {
  const names = splitList(list).filter((name) => name !== 'none')
  if (names.includes('all')) return [...AUDIT_SINKS]
  const known = new Set<string>(AUDIT_SINKS)
  const unknown = names.filter((name) => !known.has(name))
  if (unknown.length > 0) {
    problems.push(
      `MIMIR_AUDIT_LOG_DESTINATION: ${unknown.join(', ')} is not one of ${AUDIT_SINKS.join(', ')}`,
    )
  }
  return AUDIT_SINKS.filter((name) => names.includes(name))
}

function readCertificates(path: string | undefined, problems: string[]): string | undefined {
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    problems.push(`MIMIR_AUDIT_SYSLOG_CA: ${path} cannot be read (${reasonOf(error)})`)
    return undefined
  }
}
