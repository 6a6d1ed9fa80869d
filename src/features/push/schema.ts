import { z } from 'zod'
import { uuid } from '../../platform/text.ts'

export const VapidKey = z.strictObject({ publicKey: z.string() })
export type VapidKey = z.output<typeof VapidKey>

export const DeviceId = z.object({ id: uuid })
export type DeviceId = z.output<typeof DeviceId>

/** How far a test push got, hop by hop. */
export const PushTest = z.strictObject({
  delivered: z.boolean(),
  hops: z.array(
    z.strictObject({
      hop: z.enum(['device', 'channel', 'credentials', 'address', 'service']),
      ok: z.boolean(),
      /** A code of ours or of the push service. */
      detail: z.string(),
    }),
  ),
})
export type PushTest = z.output<typeof PushTest>
