import { z } from 'zod'
import { line, uuid } from '../../platform/text.ts'
import { AccountStatus } from '../accounts/schema.ts'

export const PendingUser = z.strictObject({
  id: uuid,
  username: z.string(),
  email: z.string(),
  phone: z.string().nullable(),
  createdAt: z.iso.datetime(),
})
export type PendingUser = z.output<typeof PendingUser>

/** The use case validates the decision, because it has an error code of its own for it. */
export const Decide = z.object({
  decision: z.string().max(20).optional(),
  reason: line(0, 500).nullish(),
})
export const AccountId = z.object({ id: uuid })
export type Decide = z.output<typeof Decide> & z.output<typeof AccountId>

/** An account as shown to administrators. */
export const Account = z.strictObject({
  id: uuid,
  username: z.string(),
  email: z.string(),
  phone: z.string().nullable(),
  status: AccountStatus,
  role: z.enum(['owner', 'admin', 'member', 'guest', 'service']),
  createdAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime().nullable(),
})
export type Account = z.output<typeof Account>
