import { HOUR } from '../../platform/clock.ts'
import { percentile } from '../../platform/metrics.ts'
import type { Reading } from './readings.ts'

/** The readings for one alert; on a younger server, its oldest one stands for those before it. */
export interface Window {
  readonly now: Reading
  /** From a quarter of an hour ago. */
  readonly before: Reading
  readonly hourAgo: Reading
  /** From a day before `hourAgo`. */
  readonly dayAgo: Reading
}

/**
 * An alert that fires when the value passes `fires`, and clears when it is back behind `clears`; in between
 * it stays as it was, so that a value at the edge does not notify every minute.
 */
export interface AlertRule {
  readonly name: string
  /** What it means, for a person. */
  readonly text: string
  /** Undefined if there is too little data. */
  value(window: Window): number | undefined
  readonly fires: number
  readonly clears: number
}

const LEAST_SAMPLES = 20

/** The share of `some` in `all`, in percent, once there are enough samples. */
function percent(some: number, all: number): number | undefined {
  return all < LEAST_SAMPLES ? undefined : (100 * some) / all
}

type Count = { [K in keyof Reading]: Reading[K] extends number ? K : never }[keyof Reading]

const grown = (name: Count) => (window: Window) => window.now[name] - window.before[name]

const share = (some: Count, all: Count) => (window: Window) =>
  percent(grown(some)(window), grown(all)(window))

/** The 95th percentile of credential check times, in seconds. */
function slowChecks({ now, before }: Window): number | undefined {
  const grownBy = now.credentialChecks.map((count, n) => count - (before.credentialChecks[n] ?? 0))
  const all = grownBy.reduce((sum, count) => sum + count, 0)
  return all < LEAST_SAMPLES ? undefined : percentile(grownBy, 0.95)
}

/** With fewer hours than this, the usual load of a busy key is unknown. */
const LEAST_HOURS = 6

const hoursKnown = ({ hourAgo, dayAgo }: Window) => (hourAgo.at - dayAgo.at) / HOUR

/** The last hour's count relative to what is unusual: `times` the usual hour, but at least `least`. */
function timesUnusual(
  window: Window,
  count: (reading: Reading) => number,
  { least, times }: { readonly least: number; readonly times: number },
): number {
  const { now, hourAgo, dayAgo } = window
  const hours = hoursKnown(window)
  const usual = hours === 0 ? 0 : (count(hourAgo) - count(dayAgo)) / hours
  return (count(now) - count(hourAgo)) / Math.max(least, times * usual)
}

/** The value of the key whose last hour was most unusual. */
function busiestKey(window: Window): number | undefined {
  if (hoursKnown(window) < LEAST_HOURS) return undefined
  const keys = [...window.now.keyRequests.keys()]
  return keys.reduce((most, key) => {
    const of = ({ keyRequests }: Reading) => keyRequests.get(key) ?? 0
    return Math.max(most, timesUnusual(window, of, { least: 1000, times: 3 }))
  }, 0)
}

const DAY_SECONDS = 86_400

/** Thresholds are the same as in deploy/prometheus/mimir.rules.yml: change both. */
export const ALERT_RULES: readonly AlertRule[] = [
  {
    name: 'sign_ins_fail',
    text: 'More than 10 % of the sign-ins in the last 15 minutes failed.',
    value: share('loginFailures', 'logins'),
    fires: 10,
    clears: 5,
  },
  {
    name: 'sign_ins_guessed',
    text: 'Five or more sign-ins failed in the last 15 minutes: someone may be guessing passwords.',
    value: grown('loginFailures'),
    fires: 4,
    clears: 3,
  },
  {
    name: 'refreshes_fail',
    text: 'More than 5 % of the refresh tokens in the last 15 minutes were refused.',
    value: share('refreshFailures', 'refreshes'),
    fires: 5,
    clears: 1,
  },
  {
    name: 'credential_checks_slow',
    text: 'Checking a credential takes more than half a second.',
    value: slowChecks,
    fires: 0.5,
    clears: 0.1,
  },
  {
    name: 'credentials_refused',
    text: 'More than 5 % of the credentials presented in the last 15 minutes were refused.',
    value: share('credentialsRefused', 'credentials'),
    fires: 5,
    clears: 1,
  },
  {
    name: 'rate_limits_hit',
    text: 'More than 10 % of the calls in the last 15 minutes were over their limit.',
    value: share('rateLimited', 'requests'),
    fires: 10,
    clears: 1,
  },
  {
    name: 'requests_fail',
    text: 'More than 1 % of the calls in the last 15 minutes failed on the server.',
    value: share('serverErrors', 'requests'),
    fires: 1,
    clears: 0.5,
  },
  {
    name: 'token_reused',
    text: 'A refresh token was used twice: someone may have stolen it.',
    value: grown('tokensReused'),
    fires: 0,
    clears: 1,
  },
  {
    name: 'many_sessions_revoked',
    text: 'Far more sessions were revoked in the last hour than usual.',
    value: (window) =>
      timesUnusual(window, (reading) => reading.sessionsRevoked, { least: 10, times: 5 }),
    fires: 1,
    clears: 0.5,
  },
  {
    name: 'api_key_busy',
    text: 'An API key was used far more in the last hour than usual.',
    value: busiestKey,
    fires: 1,
    clears: 0.5,
  },
  {
    name: 'large_exports',
    text: 'More than 10,000 records were exported in the last 15 minutes.',
    value: grown('exportedRecords'),
    fires: 10_000,
    clears: 5_000,
  },
  {
    name: 'messages_unreadable',
    text: 'Stored messages or files cannot be decrypted: a key is missing, or the store is damaged.',
    value: grown('unreadable'),
    fires: 0,
    clears: 1,
  },
  {
    name: 'audit_incomplete',
    text: 'Audit events are missing in the chain, or could not be recorded.',
    value: ({ now, before }) => now.auditGap + now.auditLost - before.auditLost,
    fires: 0,
    clears: 1,
  },
  {
    name: 'audit_sink_late',
    text: 'An audit sink has accepted nothing for ten minutes.',
    value: ({ now }) => now.sinkLagSeconds,
    fires: 600,
    clears: 60,
  },
  {
    name: 'jobs_fail',
    text: 'Server jobs are failing; the log says which.',
    value: grown('jobFailures'),
    fires: 0,
    clears: 1,
  },
  {
    name: 'disk_full',
    text: 'Less than 20 % of the disk is free.',
    value: ({ now }) => 100 - now.diskFreePercent,
    fires: 80,
    clears: 75,
  },
  {
    name: 'certificate_ends',
    text: 'The certificate of the public URL expires within seven days.',
    value: ({ now }) => {
      const left = now.certificateSecondsLeft
      return left === Number.POSITIVE_INFINITY ? undefined : -left / DAY_SECONDS
    },
    fires: -7,
    clears: -8,
  },
]
