import { z } from 'zod'
import { uuid } from '../../platform/text.ts'

export const DryRun = z.object({
  dryRun: z
    .boolean()
    .default(true)
    .describe('true only tells what would be done; false asks an administrator to approve it'),
})

export const ChangeId = z.object({ changeId: uuid })
export type ChangeId = z.output<typeof ChangeId>

export const ChangeState = z.strictObject({
  changeId: uuid,
  kind: z.string(),
  state: z.enum(['pending', 'done', 'failed', 'refused', 'expired']),
  expiresAt: z.iso.datetime(),
  decidedAt: z.iso.datetime().nullable(),
  /** Ids, or the error code of a failure; null until it is decided. */
  outcome: z.record(z.string(), z.string()).nullable(),
})
export type ChangeState = z.output<typeof ChangeState>

/** A tool's answer about a change: what it would do, or that it awaits approval. */
export interface Planned {
  readonly dryRun: boolean
  readonly description: string
  readonly change?: ChangeState
}
