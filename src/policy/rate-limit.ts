import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js'
import { AppError, commonErrors } from '../platform/errors.ts'
import type { Actor } from './actor.ts'
import type { LimitedRateClass, RateClass, RateLimit } from './rate-classes.ts'

/** Where a caller stands in its window. */
export interface RateStanding {
  readonly limit: number
  readonly remaining: number
  /** Seconds until the window resets, rounded up. */
  readonly resetSeconds: number
}

/** The refusal of a call over the limit, with the standing for the headers of its response. */
export class RateLimited extends AppError {
  readonly standing: RateStanding
  constructor(standing: RateStanding) {
    super(commonErrors.rateLimited, {}, { retryAfterSeconds: standing.resetSeconds })
    this.standing = standing
  }
}

export interface RateLimiter {
  /**
   * Counts one call of a caller (a `limitKey`, or the id of a key or an account); throws `rate_limited` with
   * `retryAfterSeconds` beyond the limit. Returns undefined if there is no limit.
   */
  consume(rate: RateClass, caller: string): Promise<RateStanding | undefined>
}

/** `rejected` is called with the class of each refused call, on any transport. */
export function createRateLimiter(
  limits: Readonly<Record<LimitedRateClass, RateLimit>> | 'off',
  rejected: (rate: RateClass) => void,
): RateLimiter {
  if (limits === 'off') return { consume: async () => undefined }
  const limiters = new Map<string, RateLimiterMemory>()
  for (const [name, { requests, seconds }] of Object.entries(limits)) {
    limiters.set(
      name,
      new RateLimiterMemory({ keyPrefix: name, points: requests, duration: seconds }),
    )
  }
  return {
    async consume(rate, caller) {
      const limiter = limiters.get(rate)
      if (!limiter) return undefined
      try {
        return standing(limiter.points, await limiter.consume(caller))
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        rejected(rate)
        throw new RateLimited(standing(limiter.points, refusal))
      }
    },
  }
}

/** Who called, and how the call is counted. */
interface CountedCall {
  readonly actor: Actor
  readonly rate: RateClass
  readonly countedBy: string | undefined
  readonly apart?: string
}

/**
 * Counts a call of a known caller: by its API key, which has an overall limit as well, or else by
 * `countedBy`. Returns the standing for the response's headers.
 */
export async function limitCall(
  limiter: RateLimiter,
  { actor, rate, countedBy, apart }: CountedCall,
): Promise<RateStanding | undefined> {
  const keyId = actor.kind === 'user' ? actor.keyId : undefined
  const all = keyId === undefined ? undefined : await limiter.consume('api-key', keyId)
  const who = keyId ?? countedBy
  if (who === undefined) return undefined
  return (await limiter.consume(rate, apart === undefined ? who : `${apart} ${who}`)) ?? all
}

function standing(limit: number, result: RateLimiterRes): RateStanding {
  return {
    limit,
    remaining: Math.max(0, result.remainingPoints),
    resetSeconds: Math.max(1, Math.ceil(result.msBeforeNext / 1000)),
  }
}
