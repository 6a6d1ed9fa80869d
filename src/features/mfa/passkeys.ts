import type { Ctx } from '../../context.ts'
import type { Tx } from '../../db/database.ts'
import type { PasskeyRow } from '../../db/tables.ts'
import { toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { mfaErrors } from './errors.ts'
import { answeredChallenge, askChallenge, type Purpose } from './passkey-challenge.ts'
import type { NewPasskey, PasskeyAnswer, PasskeyOptions } from './schema.ts'
import { findPasskey, listPasskeys, takeChallenge, usePasskey } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'config'>

const RP_NAME = 'Mimir'

/** The relying party is the public host, and only pages of its origin count (WebAuthn §5.1.2). */
function relyingParty(config: Ctx['config']): { rpID: string; expectedOrigin: string } {
  const url = new URL(config.publicUrl)
  return { rpID: url.hostname, expectedOrigin: url.origin }
}

/** Options for `navigator.credentials.create`: a discoverable passkey if possible. */
export async function registrationOptions(
  ctx: Needs,
  user: { readonly userId: string; readonly tenantId: string; readonly username: string },
): Promise<PasskeyOptions> {
  const { generateRegistrationOptions } = await import('@simplewebauthn/server')
  const challenge = await askChallenge(ctx, user.tenantId, 'register', user.userId)
  const known = await listPasskeys(ctx.db.read, user.userId)
  return {
    ...(await generateRegistrationOptions({
      rpName: RP_NAME,
      rpID: relyingParty(ctx.config).rpID,
      userName: user.username,
      userID: new Uint8Array(Buffer.from(user.userId)),
      challenge,
      attestationType: 'none',
      excludeCredentials: known.map(({ credential_id: id }) => ({ id })),
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
    })),
  }
}

export interface CheckedPasskey
  extends Pick<PasskeyRow, 'credential_id' | 'public_key' | 'counter' | 'transports'> {
  /** Consumes the challenge. */
  use(tx: Tx): Promise<void>
}

/** Checks a passkey that an authenticator created; throws `invalid_passkey`. */
export async function checkNewPasskey(
  ctx: Needs,
  userId: string,
  answer: NewPasskey,
): Promise<CheckedPasskey> {
  const refusal = (cause?: unknown) => new AppError(mfaErrors.invalidPasskey, {}, { cause })
  const { clientDataJSON } = answer.response
  const asked = await answeredChallenge(ctx, clientDataJSON, 'register', userId)
  if (!asked) throw refusal()
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
  const { rpID, expectedOrigin } = relyingParty(ctx.config)
  const checked = await verifyRegistrationResponse({
    response: { ...answer, clientExtensionResults: {} } as Parameters<
      typeof verifyRegistrationResponse
    >[0]['response'],
    expectedChallenge: asked.challenge,
    expectedOrigin,
    expectedRPID: rpID,
    requireUserVerification: false,
  }).catch((cause: unknown) => {
    throw refusal(cause)
  })
  if (!checked.verified) throw refusal()
  const { credential } = checked.registrationInfo
  return {
    credential_id: credential.id,
    public_key: Buffer.from(credential.publicKey),
    counter: credential.counter,
    transports: JSON.stringify(answer.response.transports ?? []),
    async use(tx) {
      if (!(await takeChallenge(tx, asked.hash))) throw refusal()
    },
  }
}

/** Options for `navigator.credentials.get`; without a user, any passkey of this server may answer. */
export async function requestOptions(
  ctx: Needs,
  tenantId: string,
  purpose: Purpose,
  userId: string | null,
): Promise<PasskeyOptions> {
  const { generateAuthenticationOptions } = await import('@simplewebauthn/server')
  const challenge = await askChallenge(ctx, tenantId, purpose, userId)
  const known = userId === null ? [] : await listPasskeys(ctx.db.read, userId)
  return {
    ...(await generateAuthenticationOptions({
      rpID: relyingParty(ctx.config).rpID,
      challenge,
      allowCredentials: known.map((row) => ({
        id: row.credential_id,
        transports: JSON.parse(row.transports),
      })),
      userVerification: userId === null ? 'required' : 'preferred',
    })),
  }
}

export interface UsedPasskey {
  readonly passkey: PasskeyRow
  /** Consumes the answer: it is not accepted again. */
  use(tx: Tx): Promise<void>
}

/**
 * The passkey that answered, or undefined if the answer is invalid. Without a user, the passkey alone signs
 * in, so the authenticator must verify its holder by a PIN or biometrics.
 */
export async function checkPasskey(
  ctx: Needs,
  purpose: Purpose,
  userId: string | null,
  answer: PasskeyAnswer,
): Promise<UsedPasskey | undefined> {
  const passkey = await findPasskey(ctx.db.read, answer.id)
  const { clientDataJSON } = answer.response
  const asked = await answeredChallenge(ctx, clientDataJSON, purpose, userId)
  if (!asked || !passkey || (userId !== null && passkey.user_id !== userId)) return undefined
  const newCounter = await verify(ctx, passkey, answer, asked.challenge, userId === null)
  if (newCounter === undefined) return undefined
  return {
    passkey,
    async use(tx) {
      const taken = await takeChallenge(tx, asked.hash)
      const noted = taken && (await usePasskey(tx, passkey, newCounter, toIso(ctx.clock.now())))
      if (!noted) throw new AppError(mfaErrors.invalidFactor)
    },
  }
}

/** The authenticator's new counter; undefined for a wrong key, origin or challenge, or an old counter. */
async function verify(
  ctx: Needs,
  row: PasskeyRow,
  answer: PasskeyAnswer,
  challenge: string,
  requireUserVerification: boolean,
): Promise<number | undefined> {
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  const { rpID, expectedOrigin } = relyingParty(ctx.config)
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...answer, clientExtensionResults: {} } as Parameters<
        typeof verifyAuthenticationResponse
      >[0]['response'],
      expectedChallenge: challenge,
      expectedOrigin,
      expectedRPID: rpID,
      credential: {
        id: row.credential_id,
        publicKey: new Uint8Array(row.public_key),
        counter: row.counter,
      },
      requireUserVerification,
    })
    return verified ? authenticationInfo.newCounter : undefined
  } catch {
    // The library throws a different error for each fault; the caller gets only one.
    return undefined
  }
}
