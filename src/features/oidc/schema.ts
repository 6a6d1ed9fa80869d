import { z } from 'zod'
import { uuid } from '../../platform/text.ts'
import { AUTH_METHODS } from '../../policy/auth-methods.ts'

/** A path on this server that no browser can take for another host. */
export const ReturnTo = z
  .string()
  .max(4000)
  .refine(
    (path) =>
      /^\/(?![/\\])[\x21-\x7e]*$/.test(path) &&
      !path.includes('\\') &&
      URL.parse(path, 'https://here.invalid')?.origin === 'https://here.invalid',
    'a path of this server, like /auth/account',
  )

/** The query parameters that begin a sign-in. */
export const BeginSignIn = z
  .object({
    provider: z.string().max(32).optional(),
    return_to: ReturnTo.optional(),
    invitation: z.string().min(1).max(200).optional(),
    /** 1: the provider asks the user to sign in again, even if it recognizes the browser. */
    fresh: z.literal('1').optional(),
    app_redirect: z.string().max(500).optional(),
    /** S256 of the app's verifier (RFC 7636 §4.2). */
    app_challenge: z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/, 'a code challenge of RFC 7636')
      .optional(),
    app_state: z.string().max(500).optional(),
  })
  .refine((query) => (query.app_redirect === undefined) === (query.app_challenge === undefined), {
    message: 'app_redirect and app_challenge go together',
    path: ['app_challenge'],
  })
export type BeginSignIn = z.output<typeof BeginSignIn>

export const Identity = z.strictObject({
  id: uuid,
  provider: z.string(),
  issuer: z.string(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime(),
})
export type Identity = z.output<typeof Identity>

export const IdentityId = z.object({ id: uuid })
export type IdentityId = z.output<typeof IdentityId>

export const SignInConfig = z.strictObject({
  methods: z.array(z.enum(AUTH_METHODS)),
  defaultMethod: z.enum(AUTH_METHODS).optional(),
  providers: z.array(
    z.strictObject({
      name: z.string(),
      type: z.string(),
      displayName: z.string(),
      url: z.string(),
    }),
  ),
  passkeys: z.boolean(),
  signInUrl: z.string(),
})
export type SignInConfig = z.output<typeof SignInConfig>
