import { z } from 'zod'
import { PASSWORD_MAX_BYTES, PASSWORD_MIN_BYTES } from '../../platform/password.ts'
import { isStorable, line, uuid } from '../../platform/text.ts'

export const Username = z
  .string()
  .trim()
  .min(3)
  .max(50)
  .regex(/^[A-Za-z0-9_]+$/, 'only letters, digits and underscores')

export const Email = z.string().trim().toLowerCase().max(254).pipe(z.email())

/** 8 to 72 bytes of UTF-8: bcrypt ignores the rest, so a longer one is refused rather than truncated. */
export const Password = z.string().refine((value) => {
  const bytes = Buffer.byteLength(value)
  return bytes >= PASSWORD_MIN_BYTES && bytes <= PASSWORD_MAX_BYTES && isStorable(value)
}, `${PASSWORD_MIN_BYTES} to ${PASSWORD_MAX_BYTES} bytes`)

export const AccountStatus = z.enum(['PendingEmail', 'PendingAdmin', 'Active', 'Suspended'])
export type AccountStatus = z.output<typeof AccountStatus>

export const Register = z.object({
  invitationToken: z.string().min(1).max(200),
  email: Email,
  username: Username,
  password: Password,
  phone: line(0, 32).nullish(),
})
export type Register = z.output<typeof Register>

export const Registered = z.strictObject({
  userId: uuid,
  status: AccountStatus,
  message: z.string(),
})
export type Registered = z.output<typeof Registered>

/** Optional here, so that a missing token gets the contract's own error code and no validation error. */
export const VerifyEmail = z.object({ token: z.string().max(200).optional() })
export type VerifyEmail = z.output<typeof VerifyEmail>

export const EmailVerified = z.strictObject({ status: AccountStatus, message: z.string() })
export type EmailVerified = z.output<typeof EmailVerified>

export const ResendVerification = z.object({ email: Email })
export type ResendVerification = z.output<typeof ResendVerification>

export const Me = z.strictObject({
  id: uuid,
  username: z.string(),
  email: z.string(),
  phone: z.string().nullable(),
  status: AccountStatus,
  isAdmin: z.boolean(),
  friendKey: z.string(),
  createdAt: z.iso.datetime(),
  displayName: z.string().optional(),
  /** An attachment id; absent if there is none. */
  avatar: uuid.optional(),
})
export type Me = z.output<typeof Me>

export const UpdateMe = z.object({
  displayName: line(0, 80).nullish(),
  phone: line(0, 32).nullish(),
  /** An image that the caller uploaded. */
  avatar: uuid.nullish(),
})
export type UpdateMe = z.output<typeof UpdateMe>

/** The argument of `ProfileChanged`; null for what is not set. */
export interface Profile {
  readonly userId: string
  readonly username: string
  readonly displayName: string | null
  readonly avatar: string | null
}

export const ChangeEmail = z.object({
  email: Email,
  currentPassword: z.string().min(1).max(1000),
})
export type ChangeEmail = z.output<typeof ChangeEmail>

export const ForgotPassword = z.object({ email: Email })
export type ForgotPassword = z.output<typeof ForgotPassword>

export const ResetPassword = z.object({ token: z.string().min(1).max(200), newPassword: Password })
export type ResetPassword = z.output<typeof ResetPassword>

export const FriendKey = z.strictObject({ friendKey: z.string() })
export type FriendKey = z.output<typeof FriendKey>
