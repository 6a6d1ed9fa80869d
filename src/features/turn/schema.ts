import { z } from 'zod'

export const TurnCredentials = z.strictObject({
  urls: z.array(z.string()),
  username: z.string(),
  credential: z.string(),
  /** Unix time in seconds; 0 without a TURN server. */
  expiresAt: z.number().int(),
})
export type TurnCredentials = z.output<typeof TurnCredentials>

/** The test result of one URL that users get. */
export interface TurnTest {
  readonly url: string
  readonly ok: boolean
  /** What the name resolves to; null if it does not resolve. */
  readonly address: string | null
  /** This server's address as the relay sees it. */
  readonly seenAs: string | null
  /** The address that was allocated; null for STUN, which allocates nothing. */
  readonly relay: string | null
  /** A code for scripts, what happened, and how to fix it; null if the test passed. */
  readonly failure: string | null
  readonly detail: string | null
  readonly mend: string | null
}
