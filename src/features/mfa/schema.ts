import { z } from 'zod'
import { line, uuid } from '../../platform/text.ts'

const base64url = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[A-Za-z0-9_-]+$/, 'base64url')

const transports = z.array(z.string().min(1).max(20)).max(10)

/** The result of `PublicKeyCredential.toJSON()` after `navigator.credentials.get` (WebAuthn level 3). */
export const PasskeyAnswer = z.object({
  id: base64url(1400),
  rawId: base64url(1400),
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url(4000),
    authenticatorData: base64url(4000),
    signature: base64url(10_000),
    userHandle: base64url(100).nullish(),
  }),
})
export type PasskeyAnswer = z.output<typeof PasskeyAnswer>

/** The same after `navigator.credentials.create`. */
export const NewPasskey = z.object({
  id: base64url(1400),
  rawId: base64url(1400),
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url(4000),
    attestationObject: base64url(30_000),
    transports: transports.optional(),
  }),
})
export type NewPasskey = z.output<typeof NewPasskey>

/** A code from an authenticator app, or a recovery code. */
const code = z.string().min(6).max(40)

export const FactorProof = z.object({
  code: code.optional(),
  passkey: PasskeyAnswer.optional(),
})
export type FactorProof = z.output<typeof FactorProof>

export const Challenge = z.object({ challenge: z.string().min(1).max(200) })
export type Challenge = z.output<typeof Challenge>

export const CompleteSignIn = FactorProof.extend(Challenge.shape)
export type CompleteSignIn = z.output<typeof CompleteSignIn>

export const PasskeySignIn = z.object({ passkey: PasskeyAnswer })
export type PasskeySignIn = z.output<typeof PasskeySignIn>

export const StepUp = FactorProof.extend({ password: z.string().min(1).max(1000).optional() })
export type StepUp = z.output<typeof StepUp>

/** The argument of `PublicKeyCredential.parse…OptionsFromJSON`. */
export const PasskeyOptions = z.looseObject({ challenge: z.string() })
export type PasskeyOptions = z.output<typeof PasskeyOptions>

export const NewTotp = z.strictObject({ secret: z.string(), uri: z.string() })
export type NewTotp = z.output<typeof NewTotp>

export const ConfirmTotp = z.object({ code: z.string().regex(/^\d{6}$/, 'six digits') })
export type ConfirmTotp = z.output<typeof ConfirmTotp>

/** Recovery codes, shown only this once; empty if the account already has some. */
export const RecoveryCodes = z.strictObject({ recoveryCodes: z.array(z.string()) })
export type RecoveryCodes = z.output<typeof RecoveryCodes>

export const AddPasskey = z.object({ name: line(1, 80), passkey: NewPasskey })
export type AddPasskey = z.output<typeof AddPasskey>

export const AddedPasskey = z.strictObject({ id: uuid, recoveryCodes: z.array(z.string()) })
export type AddedPasskey = z.output<typeof AddedPasskey>

export const PasskeyId = z.object({ id: uuid })
export type PasskeyId = z.output<typeof PasskeyId>

export const SecondFactors = z.strictObject({
  totp: z.boolean(),
  passkeys: z.array(
    z.strictObject({
      id: uuid,
      name: z.string(),
      createdAt: z.iso.datetime(),
      lastUsedAt: z.iso.datetime().nullable(),
    }),
  ),
  recoveryCodesLeft: z.number().int(),
  /** The methods that this server offers. */
  methods: z.array(z.enum(['passkey', 'totp'])),
  /** Whether the caller's role requires a second factor. */
  required: z.boolean(),
})
export type SecondFactors = z.output<typeof SecondFactors>
