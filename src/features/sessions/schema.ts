import { z } from 'zod'
import { line, uuid } from '../../platform/text.ts'
import { Password } from '../accounts/schema.ts'

/** A device's name in the list of sessions; defaults to one derived from its user agent. */
const DeviceName = line(1, 80)

export const Login = z.object({
  usernameOrEmail: line(1, 254),
  password: z.string().min(1).max(1000),
  deviceName: DeviceName.nullish(),
})
export type Login = z.output<typeof Login>

/** Of any length, so that a token that was never issued gets `invalid_token` and no validation error. */
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

/** The answer to a two-step sign-in; includes recovery codes if it enrolled the first factor. */
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
  /** The name given by the person or the app, or else derived from the user agent. */
  name: z.string(),
  createdAt: z.iso.datetime(),
  /** The current time while connected; else the end of its last connection or its last refresh. */
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
