import { z } from 'zod'
import { line, uuid } from '../../platform/text.ts'
import { isP256Point } from '../../platform/vapid.ts'

/** The platform is validated by the use case, which has its own error code for it. */
export const RegisterDevice = z.object({
  fcmToken: line(1, 4096),
  platform: z.string().max(20).optional(),
})
export type RegisterDevice = z.output<typeof RegisterDevice>

export const DeviceToken = z.object({ token: line(1, 4096) })
export type DeviceToken = z.output<typeof DeviceToken>

/** A W3C PushSubscription as a browser or a UnifiedPush distributor writes it (toJSON). */
export const AddSubscription = z.object({
  endpoint: line(1, 2048),
  /** Milliseconds since 1970. */
  expirationTime: z.number().min(0).max(8_640_000_000_000_000).nullish(),
  keys: z.object({
    p256dh: line(1, 200).refine(isP256Point, 'must be a P-256 point in base64url'),
    auth: line(1, 100).refine(
      (auth) => Buffer.from(auth, 'base64url').length === 16,
      'must be 16 bytes in base64url',
    ),
  }),
})
export type AddSubscription = z.output<typeof AddSubscription>

export const SubscriptionId = z.object({ id: uuid })
export type SubscriptionId = z.output<typeof SubscriptionId>

/** A device as its owner sees it. */
export const Device = z.strictObject({
  id: uuid,
  kind: z.enum(['fcm', 'webpush']),
  platform: z.enum(['Android', 'Ios']).optional(),
  /** The sign-in that it belongs to and ends with; absent if an older version registered it. */
  sessionId: uuid.optional(),
  createdAt: z.iso.datetime(),
  /** When its push service last accepted a push. */
  lastUsedAt: z.iso.datetime().optional(),
})
export type Device = z.output<typeof Device>
