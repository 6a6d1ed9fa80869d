import { z } from 'zod'
import { uuid } from '../../platform/text.ts'
import { Message } from '../messages/schema.ts'

export const Pin = z.strictObject({
  message: Message,
  pinnedById: uuid,
  pinnedAt: z.iso.datetime(),
})
export type Pin = z.output<typeof Pin>
