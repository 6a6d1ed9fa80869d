import { z } from 'zod'
import { line, uuid } from '../../platform/text.ts'
import { Password } from '../accounts/schema.ts'

/** What a device is called in the list of sessions; without one its user agent tells. */
const DeviceName = line(1, 80)

export const Login = z.object({
  usernameOrEmail: line(1, 254),
  password: z.string().min(1).max(1000),
  deviceName: DeviceName.nullish(),
})
export type Login = z.output<typeof Login>

/** Of any length: one that was never made is answered as such. */
export const RefreshToken = z.object({ refreshToken: z.string() })
export type RefreshToken = z.output<typeof RefreshToken>

export const TokenPair = z.strictObject({
  accessToken: z.string(),
  accessExpiresAt: z.iso.datetime(),
  refreshToken: z.string(),
  refreshExpiresAt: z.iso.datetime(),
  username: z.string(),
  isAdmin: z.boolean(),
})
export type TokenPair = z.output<typeof TokenPair>

/** The answer of a sign-in with a second step; with recovery codes when it set the first factor up. */
export const FactorTokenPair = TokenPair.extend({ recoveryCodes: z.array(z.string()).optional() })

/** RFC 7636 §4.1. */
export const RedeemAppCode = z.object({
  code: z.string().min(1).max(200),
  codeVerifier: z
    .string()
    .min(43)
    .max(128)
    .regex(/^[A-Za-z0-9._~-]+$/, 'a code verifier of RFC 7636'),
})
export type RedeemAppCode = z.output<typeof RedeemAppCode>

export const ChangePassword = z.object({
  currentPassword: z.string().min(1).max(1000),
  newPassword: Password,
})
export type ChangePassword = z.output<typeof ChangePassword>

export const DeviceLink = z.strictObject({
  code: z.string(),
  url: z.string(),
  expiresAt: z.iso.datetime(),
})
export type DeviceLink = z.output<typeof DeviceLink>

export const RedeemDeviceLink = z.object({
  code: z.string().min(1).max(200),
  deviceName: DeviceName.nullish(),
})
export type RedeemDeviceLink = z.output<typeof RedeemDeviceLink>

export const Session = z.strictObject({
  id: uuid,
  /** What the person or the app calls the device, or what its user agent tells. */
  name: z.string(),
  createdAt: z.iso.datetime(),
  /** Now while it is connected; else its last connection's end or its last refresh. */
  lastUsedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  current: z.boolean(),
})
export type Session = z.output<typeof Session>

export const SessionId = z.object({ id: uuid })
export type SessionId = z.output<typeof SessionId>

export const RenameSession = z.object({ name: DeviceName.nullable() })
export type RenameSession = z.output<typeof RenameSession> & SessionId
