import { limitKey } from '../platform/networks.ts'
import type { Actor, Origin } from './actor.ts'
import type { RateClass } from './rate-classes.ts'
import { limitCall, type RateLimiter, type RateStanding } from './rate-limit.ts'

/** A call of an authenticated or anonymous caller, as a transport passes it to the gate. */
export interface GateCall {
  readonly actor: Actor
  readonly rate: RateClass
  /** What to count by without an API key: an address or account; undefined if already counted. */
  readonly countedBy: string | undefined
  /** Counted separately within the class, like each XRPC method. */
  readonly apart?: string
  /** Throws when the caller may not do this at all. */
  rights(): void
  /** Throws when the server accepts no such call now, or nothing from this caller yet. */
  admission(): Promise<void> | void
  /** Receives the caller's standing in the rate window, even if the call is refused afterwards. */
  counted?(standing: RateStanding | undefined): void
}

/**
 * Runs every check between authentication and the use case, in the same order for every transport. Limits
 * come first: a caller that is refused again and again must cost no more than one that is allowed.
 */
export async function passGate(limiter: RateLimiter, call: GateCall): Promise<void> {
  const standing = await limitCall(limiter, call)
  call.counted?.(standing)
  call.rights()
  await call.admission()
}

/** Identifies a caller that nothing has counted yet: a failure counts against its address. */
export async function countFailure<T>(
  limiter: RateLimiter,
  rate: RateClass,
  { ip }: Origin,
  identify: () => Promise<T>,
): Promise<T> {
  try {
    return await identify()
  } catch (error) {
    await limiter.consume(rate, limitKey(ip))
    throw error
  }
}
