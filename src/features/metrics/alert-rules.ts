import type { Reading } from './readings.ts'

/** What is looked at for one alert: the newest reading, and the one of a quarter of an hour before. */
export interface Window {
  readonly now: Reading
  readonly before: Reading
}

/**
 * An alert that begins when the value passes `fires`, and ends when it is back behind `clears`: in
 * between it stays as it was, so that a value at the edge does not tell every minute.
 */
export interface AlertRule {
  readonly name: string
  /** For a person: what it means. */
  readonly text: string
  /** Undefined: there is too little to say anything. */
  value(window: Window): number | undefined
  readonly fires: number
  readonly clears: number
}

const LEAST_SAMPLES = 20

/** The part of `some` in `all`, in percent, once there is enough. */
function percent(some: number, all: number): number | undefined {
  return all < LEAST_SAMPLES ? undefined : (100 * some) / all
}

const grown = (name: keyof Reading) => (window: Window) => window.now[name] - window.before[name]

const share = (some: keyof Reading, all: keyof Reading) => (window: Window) =>
  percent(grown(some)(window), grown(all)(window))

const DAY_SECONDS = 86_400

/** Change a threshold here and in deploy/prometheus/mimir.rules.yml, which has the same. */
export const ALERT_RULES: readonly AlertRule[] = [
  {
    name: 'sign_ins_fail',
    text: 'More than 10 % of the sign-ins of the last quarter of an hour failed.',
    value: share('loginFailures', 'logins'),
    fires: 10,
    clears: 5,
  },
  {
    name: 'credentials_refused',
    text: 'More than 5 % of the calls of the last quarter of an hour came with a bad credential.',
    value: share('authFailures', 'requests'),
    fires: 5,
    clears: 1,
  },
  {
    name: 'rate_limits_hit',
    text: 'More than 10 % of the calls of the last quarter of an hour were over their limit.',
    value: share('rateLimited', 'requests'),
    fires: 10,
    clears: 1,
  },
  {
    name: 'requests_fail',
    text: 'More than 1 % of the calls of the last quarter of an hour failed on the server.',
    value: share('serverErrors', 'requests'),
    fires: 1,
    clears: 0.5,
  },
  {
    name: 'token_reused',
    text: 'A refresh token was used twice: somebody may have stolen it.',
    value: grown('tokensReused'),
    fires: 0,
    clears: 1,
  },
  {
    name: 'messages_unreadable',
    text: 'Stored messages or files cannot be opened: a key is missing, or the store is damaged.',
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
    text: 'An audit sink has taken nothing for ten minutes.',
    value: ({ now }) => now.sinkLagSeconds,
    fires: 600,
    clears: 60,
  },
  {
    name: 'jobs_fail',
    text: 'Jobs of the server fail; its log says which.',
    value: grown('jobFailures'),
    fires: 0,
    clears: 1,
  },
  {
    name: 'disk_full',
    text: 'Less than 10 % of the disk is free.',
    value: ({ now }) => 100 - now.diskFreePercent,
    fires: 90,
    clears: 80,
  },
  {
    name: 'certificate_ends',
    text: 'The certificate of the public URL ends within seven days.',
    value: ({ now }) => {
      const left = now.certificateSecondsLeft
      return left === Number.POSITIVE_INFINITY ? undefined : -left / DAY_SECONDS
    },
    fires: -7,
    clears: -8,
  },
]
