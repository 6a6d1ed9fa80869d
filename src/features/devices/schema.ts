import { z } from 'zod'
import { line } from '../../platform/text.ts'

/** The platform is judged by the use case, which has a code of its own for it. */
export const RegisterDevice = z.object({
  fcmToken: line(1, 4096),
  platform: z.string().max(20).optional(),
})
export type RegisterDevice = z.output<typeof RegisterDevice>

export const DeviceToken = z.object({ token: line(1, 4096) })
export type DeviceToken = z.output<typeof DeviceToken>
