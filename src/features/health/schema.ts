import { z } from 'zod'

const Checks = z.record(z.string(), z.enum(['ok', 'failed']))

export const Health = z.strictObject({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  timestamp: z.iso.datetime(),
  version: z.string(),
  checks: Checks,
  /** Present only while security is disabled. */
  securityEnabled: z.literal(false).optional(),
})
export type Health = z.output<typeof Health>

export const Readiness = z.strictObject({ ready: z.boolean(), checks: Checks })
export type Readiness = z.output<typeof Readiness>
