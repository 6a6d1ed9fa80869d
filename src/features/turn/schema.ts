import { z } from 'zod'

export const TurnCredentials = z.strictObject({
  urls: z.array(z.string()),
  username: z.string(),
  credential: z.string(),
  /** Unix time in seconds; 0 without a TURN server. */
  expiresAt: z.number().int(),
})
export type TurnCredentials = z.output<typeof TurnCredentials>
