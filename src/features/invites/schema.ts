import { z } from 'zod'
import { line, uuid } from '../../platform/text.ts'

export const INVITATION_DAYS_DEFAULT = 7
export const INVITATION_DAYS_MAX = 30

export const CreateInvitation = z.object({
  note: line(0, 200).nullish(),
  expiryDays: z
    .number()
    .int()
    .min(1)
    .max(INVITATION_DAYS_MAX, `must be at most ${INVITATION_DAYS_MAX}`)
    .nullish(),
})
export type CreateInvitation = z.output<typeof CreateInvitation>

export const CreatedInvitation = z.strictObject({
  id: uuid,
  token: z.string(),
  expiresAt: z.iso.datetime(),
})
export type CreatedInvitation = z.output<typeof CreatedInvitation>

export const Invitation = z.strictObject({
  id: uuid,
  note: z.string().nullable(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  redeemedAt: z.iso.datetime().nullable(),
  redeemedByUsername: z.string().nullable(),
  status: z.enum(['Active', 'Used', 'Expired']),
})
export type Invitation = z.output<typeof Invitation>

export const InvitationId = z.object({ id: uuid })
export type InvitationId = z.output<typeof InvitationId>
