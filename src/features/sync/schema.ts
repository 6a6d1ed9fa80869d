import { z } from 'zod'

const PAGE_DEFAULT = 500
const PAGE_MAX = 1000

export const SyncQuery = z.object({
  /** Where the device is; without it the answer is the cursor of now. */
  cursor: z.string().max(200).optional(),
  limit: z.coerce
    .number()
    .int()
    .default(PAGE_DEFAULT)
    .transform((limit) => Math.min(Math.max(limit, 1), PAGE_MAX)),
})
export type SyncQuery = z.output<typeof SyncQuery>

export const SyncPage = z.strictObject({
  events: z.array(
    z.strictObject({
      /** The name of the hub event. */
      type: z.string(),
      /** Its argument, as the subject is now. */
      data: z.unknown(),
      /** The same event has the same number whenever it is asked for. */
      seq: z.number().int(),
    }),
  ),
  cursor: z.string(),
  hasMore: z.boolean(),
})
export type SyncPage = z.output<typeof SyncPage>
