import { z } from 'zod'

export const TurnCredentials = z.strictObject({
  urls: z.array(z.string()),
  username: z.string(),
  credential: z.string(),
  /** Unix time in seconds; 0 without a TURN server. */
  expiresAt: z.number().int(),
})
export type TurnCredentials = z.output<typeof TurnCredentials>

/** What became of one address that people get. */
export interface TurnTest {
  readonly url: string
  readonly ok: boolean
  /** Where the name leads; null when it leads nowhere. */
  readonly address: string | null
  /** Where the relay sees this server. */
  readonly seenAs: string | null
  /** The address that was allocated; null for STUN, which allocates nothing. */
  readonly relay: string | null
  /** A word for scripts, what happened, and how to mend it; null when all is well. */
  readonly failure: string | null
  readonly detail: string | null
  readonly mend: string | null
}
