import type { Actor } from './actor.ts'
import type { RateClass } from './rate-classes.ts'
import { limitCall, type RateLimiter, type RateStanding } from './rate-limit.ts'

/** A call whose caller is known by now, as a transport brings it before the gate. */
export interface GateCall {
  readonly actor: Actor
  readonly rate: RateClass
  /** What is counted where no API key was shown: an address, an account; undefined: it was counted before. */
  readonly countedBy: string | undefined
  /** What is counted apart within the class, like each method of XRPC. */
  readonly apart?: string
  /** Throws when the caller may not do this at all. */
  rights(): void
  /** Throws when the server takes no such call at this time, or nothing of this caller yet. */
  admission(): Promise<void> | void
  /** Told where the caller stands in the window, also of a call that is refused after that. */
  counted?(standing: RateStanding | undefined): void
}

/**
 * Everything between the credential and the use case, for every transport in one order. The limits come
 * first: a key that is refused again and again must cost no more than one that is let through.
 */
export async function passGate(limiter: RateLimiter, call: GateCall): Promise<void> {
  const standing = await limitCall(limiter, call)
  call.counted?.(standing)
  call.rights()
  await call.admission()
}
