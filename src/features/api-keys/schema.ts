import { z } from 'zod'
import { parseNetwork } from '../../platform/networks.ts'
import { line, uuid } from '../../platform/text.ts'
import { expandPermission } from '../../policy/permission-names.ts'
import { PERMISSIONS } from '../../policy/permissions.ts'

const MAX_DAYS = 3650

const Scope = z
  .string()
  .trim()
  .refine((name) => expandPermission(name) !== undefined, 'is not a permission')

const Address = z
  .string()
  .trim()
  .refine(
    (text) => parseNetwork(text) !== undefined,
    'is neither an address nor a network like 10.0.0.0/8',
  )

export const KeyName = line(1, 100)

/** `expiresInDays` null: never expires, which only administrators may choose. */
export const CreateKey = z.object({
  name: KeyName,
  scopes: z.array(Scope).min(1).max(100).optional(),
  expiresInDays: z.number().int().min(1).max(MAX_DAYS).nullish(),
  addresses: z.array(Address).max(50).optional(),
  /** The name of the service account that will own it, created if there is none; absent: the caller. */
  service: KeyName.optional(),
})
export type CreateKey = z.output<typeof CreateKey>

/** The same, in the form of earlier systems. */
export const GenerateKey = z.object({
  name: KeyName,
  expiresInDays: CreateKey.shape.expiresInDays,
  permissions: z.array(Scope).min(1).max(100).optional(),
})
export type GenerateKey = z.output<typeof GenerateKey>

export const KeyId = z.object({ id: z.string().regex(/^[a-z0-9]{8}$/, 'eight letters or digits') })
export type KeyId = z.output<typeof KeyId>

export const RotateKey = z.object({
  /** How long the old key stays valid beside the new one, in hours. */
  overlapHours: z.number().int().min(0).max(720).default(24),
})
export type RotateKey = z.output<typeof RotateKey> & KeyId

const Owner = z.strictObject({ id: uuid, username: z.string(), isService: z.boolean() })

export const ApiKey = z.strictObject({
  id: z.string(),
  name: z.string(),
  owner: Owner,
  scopes: z.array(z.enum(PERMISSIONS)),
  addresses: z.array(z.string()),
  status: z.enum(['active', 'expired', 'revoked']),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  lastUsedAt: z.iso.datetime().nullable(),
  /** The key that replaces it. */
  successorId: z.string().nullable(),
})
export type ApiKey = z.output<typeof ApiKey>

/** The only response that contains the key itself. */
export const MadeKey = ApiKey.extend({ key: z.string() })
export type MadeKey = z.output<typeof MadeKey>

export const RotatedKey = MadeKey.extend({
  previous: z.strictObject({ id: z.string(), expiresAt: z.iso.datetime() }),
})
export type RotatedKey = z.output<typeof RotatedKey>

export const GeneratedKey = z.strictObject({
  success: z.literal(true),
  apiKey: z.string(),
  key: z.string(),
  keyId: z.string(),
  name: z.string(),
  permissions: z.array(z.enum(PERMISSIONS)),
  expiresAt: z.iso.datetime().nullable(),
  warning: z.string(),
})
export type GeneratedKey = z.output<typeof GeneratedKey>
