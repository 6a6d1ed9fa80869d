import { z } from 'zod'
import { pageLimit } from '../../platform/page-limit.ts'

const PAGE_DEFAULT = 500
const PAGE_MAX = 1000

export const SyncQuery = z.object({
  /** The device's position; without it the answer is the current cursor. */
  cursor: z.string().max(200).optional(),
  limit: pageLimit(PAGE_DEFAULT, PAGE_MAX),
})
export type SyncQuery = z.output<typeof SyncQuery>

export const SyncPage = z.strictObject({
  events: z.array(
    z.strictObject({
      /** The name of the hub event. */
      type: z.string(),
      /** Its argument, rebuilt from the subject's current state. */
      data: z.unknown(),
      /** Stable: the same event always has the same number. */
      seq: z.number().int(),
    }),
  ),
  cursor: z.string(),
  hasMore: z.boolean(),
})
export type SyncPage = z.output<typeof SyncPage>
