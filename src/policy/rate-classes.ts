export interface RateLimit {
  readonly requests: number
  /** The length of the fixed window. */
  readonly seconds: number
}

/** Fixed windows per client address, or per API key; `MIMIR_RATE_LIMITS` changes them. */
export const DEFAULT_RATE_LIMITS = {
  'auth-register': { requests: 5, seconds: 60 },
  'auth-verify': { requests: 30, seconds: 60 },
  'auth-login': { requests: 10, seconds: 60 },
  'auth-change-password': { requests: 5, seconds: 60 },
  'auth-resend': { requests: 5, seconds: 60 },
  'auth-forgot-password': { requests: 5, seconds: 60 },
  'auth-reset-password': { requests: 5, seconds: 60 },
  'auth-link-device': { requests: 10, seconds: 60 },
  'profile-change': { requests: 30, seconds: 60 },
  'auth-begin': { requests: 120, seconds: 60 },
  'auth-logout-token': { requests: 120, seconds: 60 },
  'auth-second-factor': { requests: 60, seconds: 60 },
  'email-change': { requests: 5, seconds: 60 },
  'friend-request': { requests: 5, seconds: 60 },
  'invite-create': { requests: 20, seconds: 60 },
  'attachment-upload': { requests: 120, seconds: 60 },
  'push-test': { requests: 5, seconds: 60 },
  'oauth-authorize': { requests: 30, seconds: 60 },
  'oauth-register': { requests: 20, seconds: 60 },
  'oauth-token': { requests: 60, seconds: 60 },
  'mcp-call': { requests: 60, seconds: 10 },
  'key-create': { requests: 20, seconds: 60 },
  // Beside the classes of the operations, for each API key by itself.
  'api-key': { requests: 600, seconds: 60 },
} as const satisfies Record<string, RateLimit>

export type LimitedRateClass = keyof typeof DEFAULT_RATE_LIMITS

/** What every operation declares. `unlimited` is said aloud, so that nobody forgets to decide. */
export type RateClass = LimitedRateClass | 'unlimited'
