import type { Ctx } from '../../context.ts'
import { MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { randomToken, sha256Hex } from '../../platform/tokens.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import { nodeErrors } from './errors.ts'
import {
  deleteOutdatedConfirmations,
  insertConfirmation,
  useConfirmation,
} from './store-confirm.ts'

const LIFETIME = 5 * MINUTE

/** What a client sends back to confirm the call. */
export interface Asked {
  readonly needsConfirmation: true
  readonly confirmationId: string
  /** Seconds. */
  readonly expiresIn: number
}

/**
 * Records that a caller wants something destroyed and returns an id that confirms the call: valid once, for
 * five minutes, for the same user with the same arguments.
 */
export async function askConfirmation(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
  action: string,
  input: object,
): Promise<Asked> {
  const { tenantId, userId } = requireUser(actor)
  const confirmationId = randomToken(16)
  const now = ctx.clock.now()
  await ctx.db.transaction(async (tx) => {
    await deleteOutdatedConfirmations(tx, userId, toIso(now))
    await insertConfirmation(tx, {
      token_hash: sha256Hex(confirmationId),
      tenant_id: tenantId,
      user_id: userId,
      action,
      input_hash: hashOf(input),
      expires_at: toIso(now + LIFETIME),
    })
  })
  return { needsConfirmation: true, confirmationId, expiresIn: LIFETIME / SECOND }
}

/** Consumes a confirmation, or throws `invalid_confirmation`. */
export async function requireConfirmation(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  actor: Actor,
  action: string,
  input: object,
  confirmationId: string | undefined,
): Promise<void> {
  const { userId } = requireUser(actor)
  const used = await ctx.db.transaction((tx) =>
    useConfirmation(tx, {
      token_hash: sha256Hex(confirmationId ?? ''),
      user_id: userId,
      action,
      input_hash: hashOf(input),
      now: toIso(ctx.clock.now()),
    }),
  )
  if (!used) throw new AppError(nodeErrors.invalidConfirmation)
}

function hashOf(input: object): string {
  return sha256Hex(JSON.stringify(input))
}
