import { z } from 'zod'
import { line, uuid } from '../../platform/text.ts'

/** Proves that the account's owner asks; not needed for an account without a password. */
const CurrentPassword = z.string().max(200).optional()

export const RequestExport = z.object({ currentPassword: CurrentPassword })
export type RequestExport = z.output<typeof RequestExport>

export const ExportId = z.object({ id: uuid })
export type ExportId = z.output<typeof ExportId>

export const ExportStatus = z.strictObject({
  id: uuid,
  state: z.enum(['waiting', 'running', 'ready', 'failed']),
  /** How many of the `total` parts are in the archive. */
  done: z.number().int(),
  total: z.number().int(),
  /** Bytes of the archive; 0 until it is ready. */
  size: z.number().int(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
})
export type ExportStatus = z.output<typeof ExportStatus>

export const RequestErasure = z.object({
  currentPassword: CurrentPassword,
  /** Also deletes the user's messages, on the recipients' devices too. */
  deleteMessages: z.boolean().default(false),
})
export type RequestErasure = z.output<typeof RequestErasure>

export const ErasureStatus = z.strictObject({
  id: uuid,
  state: z.enum(['waiting', 'undone', 'done']),
  deleteMessages: z.boolean(),
  requestedAt: z.iso.datetime(),
  /** Until then it can be undone. */
  dueAt: z.iso.datetime(),
})
export type ErasureStatus = z.output<typeof ErasureStatus>

export const AnonymizeId = z.object({ id: uuid })
export type AnonymizeId = z.output<typeof AnonymizeId>

const Purpose = z.string().regex(/^[a-z][a-z0-9_-]{0,49}$/, 'a short name in lower case')

export const GiveConsent = z.object({ purpose: Purpose, version: line(1, 50) })
export type GiveConsent = z.output<typeof GiveConsent>

export const ConsentId = z.object({ id: uuid })
export type ConsentId = z.output<typeof ConsentId>

export const Consent = z.strictObject({
  id: uuid,
  purpose: z.string(),
  version: z.string(),
  source: z.string(),
  givenAt: z.iso.datetime(),
  withdrawnAt: z.iso.datetime().nullable(),
})
export type Consent = z.output<typeof Consent>

/** The consent that everyone must give, if any, and those that the caller has given. */
export const Consents = z.strictObject({
  required: z
    .strictObject({ purpose: z.string(), version: z.string(), url: z.string().nullable() })
    .nullable(),
  consents: z.array(Consent),
})
export type Consents = z.output<typeof Consents>
