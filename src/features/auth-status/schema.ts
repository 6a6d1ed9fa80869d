import { z } from 'zod'
import { uuid } from '../../platform/text.ts'
import { AUTH_METHODS } from '../../policy/auth-methods.ts'

export const AuthStatus = z.strictObject({
  authenticated: z.boolean(),
  securityEnabled: z.boolean(),
  user: z
    .strictObject({
      id: uuid,
      username: z.string(),
      email: z.string(),
      roles: z.array(z.string()),
    })
    .optional(),
  methods: z.array(z.enum(AUTH_METHODS)),
  defaultMethod: z.enum(AUTH_METHODS).optional(),
  /** Expiry of the credential, if known. */
  expiresAt: z.iso.datetime().optional(),
})
export type AuthStatus = z.output<typeof AuthStatus>
