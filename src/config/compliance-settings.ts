import { z } from 'zod'
import {
  byteSize,
  defineSettings,
  hostAndPort,
  httpUrl,
  optionalText,
  text,
  whole,
  yesOrNo,
} from './setting.ts'

/** A hundred years. */
export const MAX_DAYS = 36_500

/** Settings of the audit log, of retention and privacy, of metrics and alerts. */
export const COMPLIANCE_SETTINGS = defineSettings({
  MIMIR_AUDIT_LOG_DESTINATION: {
    about: 'where audit events are also sent: any of stdout,file,webhook,syslog',
    schema: z.string().default(''),
  },
  MIMIR_AUDIT_LOG_FILE: {
    about: 'file of the audit log; default: logs/audit.jsonl in the data directory',
    schema: optionalText,
  },
  MIMIR_AUDIT_LOG_MAX_SIZE: {
    about: 'size at which the log is rotated, in bytes or like 100M',
    schema: byteSize.default(100 * 2 ** 20),
  },
  MIMIR_AUDIT_LOG_MAX_AGE: {
    about: 'days after which a rotated file is deleted; 0 keeps it',
    schema: whole(0, MAX_DAYS).default(90),
  },
  MIMIR_AUDIT_LOG_MAX_BACKUPS: {
    about: 'how many rotated files are kept',
    schema: whole(1, 10_000).default(10),
  },
  MIMIR_AUDIT_WEBHOOK_URL: {
    about: 'where audit events are posted, in signed batches',
    schema: httpUrl.optional(),
  },
  MIMIR_AUDIT_WEBHOOK_SECRET: {
    about: 'signs these requests; at least 32 characters',
    secret: true,
    schema: z.string().min(32, 'at least 32 characters').optional(),
  },
  MIMIR_AUDIT_WEBHOOK_AUTH_HEADER: {
    about: 'Authorization header of these requests, if the receiver needs one',
    secret: true,
    schema: optionalText,
  },
  MIMIR_AUDIT_WEBHOOK_BATCH_SIZE: {
    about: 'maximum number of audit events in one request',
    schema: whole(1, 1000).default(100),
  },
  MIMIR_AUDIT_SYSLOG: {
    about: 'HOST:PORT of a syslog server (RFC 5424 over TLS)',
    schema: hostAndPort.optional(),
  },
  MIMIR_AUDIT_SYSLOG_CA: {
    about: "file of the certificates by which the syslog server's is verified, if not the system's",
    schema: optionalText,
  },
  MIMIR_AUDIT_STRICT: {
    about: 'true: refuse changes while audit events cannot be recorded or delivered',
    schema: yesOrNo.default(false),
  },
  MIMIR_DATA_RETENTION_ENABLED: {
    about: 'true: delete messages, completed TODOs and nodes after their retention time',
    schema: yesOrNo.default(false),
  },
  MIMIR_DATA_RETENTION_DEFAULT_DAYS: {
    about:
      'days after which messages, and nodes after their last change, are deleted; 0 keeps them',
    schema: whole(0, MAX_DAYS).default(365),
  },
  MIMIR_DATA_RETENTION_POLICIES: {
    about: 'days by type, as JSON: message, or a type of nodes, like {"todo":30,"memory":0}',
    schema: optionalText,
  },
  MIMIR_RETENTION_POLICY: {
    about: 'another name of MIMIR_DATA_RETENTION_POLICIES',
    schema: optionalText,
  },
  MIMIR_DATA_RETENTION_AUDIT_DAYS: {
    about: 'days that the audit log is kept; 0 keeps it; default 365, with MIMIR_ENABLE_HIPAA 2555',
    schema: whole(0, MAX_DAYS).optional(),
  },
  MIMIR_GDPR_REQUIRE_CONSENT: {
    about: 'true: people must agree to MIMIR_GDPR_CONSENT_VERSION before they can use the server',
    schema: yesOrNo.default(false),
  },
  MIMIR_GDPR_CONSENT_VERSION: {
    about: 'version of the terms that people agree to',
    schema: text.max(50).default('1.0'),
  },
  MIMIR_GDPR_CONSENT_URL: {
    about: 'URL of the terms that people agree to',
    schema: httpUrl.optional(),
  },
  MIMIR_FIPS_MODE_ENABLED: {
    about: 'must be false: the server has no validated cryptographic module',
    schema: yesOrNo.default(false),
  },
  MIMIR_ENABLE_HIPAA: {
    about: 'true: automatic log-off, a record of every access, a longer audit log; needs https',
    schema: yesOrNo.default(false),
  },
  MIMIR_ENABLE_FISMA: {
    about: 'true: the same technical controls as MIMIR_ENABLE_HIPAA, except the audit retention',
    schema: yesOrNo.default(false),
  },
  MIMIR_HIPAA_AUTO_LOGOFF_TIMEOUT: {
    about: 'seconds without a request after which a session ends, where HIPAA or FISMA is on',
    schema: whole(60, 86_400).default(900),
  },
  MIMIR_METRICS_LISTEN: {
    about: 'HOST:PORT of the metrics listener (/metrics), or off; default 127.0.0.1:9464',
    schema: z.union([z.literal('off'), hostAndPort], 'HOST:PORT or off').optional(),
  },
  MIMIR_METRICS_TOKEN: {
    about: 'bearer token for the metrics; required unless the listener is on loopback',
    secret: true,
    schema: z
      .string()
      .regex(/^\S{16,}$/, 'at least 16 characters, no spaces')
      .optional(),
  },
  MIMIR_ALERT_EMAIL: {
    about: 'e-mail address for alerts',
    schema: z.email('an e-mail address').optional(),
  },
  MIMIR_ALERT_WEBHOOK_URL: {
    about: 'URL that alerts are posted to',
    schema: httpUrl.optional(),
  },
})

const ALWAYS = 'the audit log is always on; MIMIR_AUDIT_LOG_DESTINATION sets where else it goes'
const RETENTION = 'use MIMIR_DATA_RETENTION_ENABLED and MIMIR_DATA_RETENTION_DEFAULT_DAYS'
const RIGHTS = 'export and erasure are always on'
const ALERTS = 'use MIMIR_ALERT_EMAIL and MIMIR_ALERT_WEBHOOK_URL'
const OUTSIDE = 'handled outside of this server; see docs/compliance.md'

export const REPLACED_COMPLIANCE_NAMES: Readonly<Record<string, string>> = {
  MIMIR_ENABLE_AUDIT_LOG: ALWAYS,
  MIMIR_ENABLE_AUDIT_LOGGING: ALWAYS,
  MIMIR_AUDIT_LOG_FORMAT: 'audit events are JSON lines',
  MIMIR_AUDIT_LOG_LEVEL: 'every audit event is recorded',
  MIMIR_AUDIT_WEBHOOK_BATCH_INTERVAL_MS: 'audit events are posted every five seconds',
  MIMIR_SIEM_ENDPOINT: 'use MIMIR_AUDIT_WEBHOOK_URL or MIMIR_AUDIT_SYSLOG',
  MIMIR_SIEM_API_KEY: 'use MIMIR_AUDIT_WEBHOOK_AUTH_HEADER',
  MIMIR_ENABLE_DATA_RETENTION: RETENTION,
  MIMIR_DEFAULT_RETENTION_DAYS: RETENTION,
  MIMIR_DATA_RETENTION_TODO_DAYS: 'use MIMIR_DATA_RETENTION_POLICIES={"todo":90}',
  MIMIR_DATA_RETENTION_MEMORY_DAYS: 'use MIMIR_DATA_RETENTION_POLICIES={"memory":365}',
  MIMIR_DATA_RETENTION_INTERVAL_MS: 'retention runs every hour',
  MIMIR_AUTO_DELETE_EXPIRED: RETENTION,
  MIMIR_DELETION_SCHEDULE: 'retention runs every hour',
  MIMIR_ENABLE_GDPR: RIGHTS,
  MIMIR_GDPR_ENABLE_RIGHT_TO_ACCESS: RIGHTS,
  MIMIR_GDPR_ENABLE_RIGHT_TO_ERASURE: RIGHTS,
  MIMIR_GDPR_ENABLE_RIGHT_TO_PORTABILITY: RIGHTS,
  MIMIR_GDPR_DPA_ACCEPTED: OUTSIDE,
  MIMIR_GDPR_BREACH_NOTIFICATION_EMAIL: ALERTS,
  MIMIR_GDPR_BREACH_NOTIFICATION_THRESHOLD: ALERTS,
  MIMIR_ENABLE_ANONYMIZATION: 'erasure anonymises; there is no other method to choose',
  MIMIR_ANONYMIZATION_KEY: 'erasure anonymises; there is no other method to choose',
  MIMIR_ANONYMIZATION_METHOD: 'erasure anonymises; there is no other method to choose',
  MIMIR_PROMETHEUS_ENABLED: 'use MIMIR_METRICS_LISTEN',
  MIMIR_PROMETHEUS_PORT: 'use MIMIR_METRICS_LISTEN',
  MIMIR_PROMETHEUS_PATH: 'metrics are at /metrics of MIMIR_METRICS_LISTEN',
  MIMIR_ENABLE_SECURITY_MONITORING: ALERTS,
  MIMIR_ALERT_SLACK_WEBHOOK: ALERTS,
  MIMIR_ALERT_PAGERDUTY_KEY: ALERTS,
  MIMIR_HIPAA_BAA_ACCEPTED: OUTSIDE,
}
