import { z } from 'zod'
import { uuid } from '../../platform/text.ts'

export const PresenceOf = z.object({ userId: uuid })
export type PresenceOf = z.output<typeof PresenceOf>

export const Presence = z.strictObject({
  userId: uuid,
  online: z.boolean(),
  lastSeenAt: z.iso.datetime().nullable(),
})
export type Presence = z.output<typeof Presence>
