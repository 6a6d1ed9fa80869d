import type { Ctx } from '../../context.ts'
import type { PasskeyChallengeRow } from '../../db/tables.ts'
import { MINUTE, toIso } from '../../platform/clock.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { findChallenge, insertChallenge } from './store.ts'

const LIFETIME = 5 * MINUTE

export type Purpose = PasskeyChallengeRow['purpose']

/** A new challenge for an authenticator; only its hash is stored. */
export async function askChallenge(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  tenantId: string,
  purpose: Purpose,
  userId: string | null,
): Promise<Uint8Array<ArrayBuffer>> {
  const challenge = randomToken(32)
  await ctx.db.transaction((tx) =>
    insertChallenge(tx, {
      challenge_hash: sha256Hex(challenge),
      tenant_id: tenantId,
      purpose,
      user_id: userId,
      expires_at: toIso(ctx.clock.now() + LIFETIME),
    }),
  )
  return new Uint8Array(Buffer.from(challenge, 'base64url'))
}

export interface FoundChallenge {
  /** As the browser signed it. */
  readonly challenge: string
  readonly hash: string
}

/** The open challenge that an authenticator answers, issued for this purpose and account. */
export async function answeredChallenge(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  clientDataJson: string,
  purpose: Purpose,
  userId: string | null,
): Promise<FoundChallenge | undefined> {
  const challenge = challengeIn(clientDataJson)
  if (challenge === undefined) return undefined
  const hash = sha256Hex(challenge)
  const row = await findChallenge(ctx.db.read, hash, toIso(ctx.clock.now()))
  return row?.purpose === purpose && row.user_id === userId ? { challenge, hash } : undefined
}

function challengeIn(clientDataJson: string): string | undefined {
  try {
    const { challenge } = JSON.parse(Buffer.from(clientDataJson, 'base64url').toString('utf8'))
    return typeof challenge === 'string' ? challenge : undefined
  } catch {
    return undefined
  }
}
