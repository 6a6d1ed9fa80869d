export interface RateLimit {
  readonly requests: number
  /** Length of the fixed window. */
  readonly seconds: number
}

/** Fixed windows per address, or per API key or caller where noted; `MIMIR_RATE_LIMITS` overrides them. */
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
  'webhook-create': { requests: 20, seconds: 60 },
  // Per address over all webhooks, and also per webhook.
  'webhook-post': { requests: 600, seconds: 60 },
  'webhook-token': { requests: 60, seconds: 60 },
  'key-create': { requests: 20, seconds: 60 },
  // Per API key over all operations, in addition to their own classes.
  'api-key': { requests: 600, seconds: 60 },
  'privacy-request': { requests: 5, seconds: 60 },
  'did-document': { requests: 60, seconds: 60 },
  // Per address, before a service token is verified; an address may stand for a whole other server.
  xrpc: { requests: 3000, seconds: 60 },
  // Per caller and method.
  'mls-send': { requests: 100, seconds: 60 },
  'mls-read': { requests: 500, seconds: 60 },
  'mls-cursor': { requests: 300, seconds: 60 },
  'mls-key-packages': { requests: 50, seconds: 60 },
  'mls-sync': { requests: 30, seconds: 60 },
  'mls-device': { requests: 10, seconds: 60 },
  'mls-commit': { requests: 10, seconds: 60 },
  'mls-create': { requests: 5, seconds: 60 },
  'mls-report': { requests: 5, seconds: 60 },
  'mls-other': { requests: 200, seconds: 60 },
} as const satisfies Record<string, RateLimit>

export type LimitedRateClass = keyof typeof DEFAULT_RATE_LIMITS

/** Every operation declares one. `unlimited` must be explicit, so that nobody forgets to decide. */
export type RateClass = LimitedRateClass | 'unlimited'
