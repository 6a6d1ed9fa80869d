import type { Ctx } from '../../context.ts'
import { SECOND } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { requireAccount } from '../accounts/access.ts'
import { rotateKey } from '../keys/service.ts'
import { writeCoturnConfig } from './coturn-config.ts'
import { allTurnSecrets, makeTurnCredentials, turnSecret } from './credentials.ts'
import { turnErrors } from './errors.ts'
import type { TurnCredentials } from './schema.ts'

type Needs = Pick<Ctx, 'db' | 'keyring' | 'clock' | 'ids' | 'config'>

/** The secret to share with coturn; creates one if there is none, or to rotate it. */
export async function makeTurnSecret(
  ctx: Needs,
  actor: Actor,
  input: { rotate: boolean },
): Promise<{ secret: string; keyId: string; made: boolean }> {
  const made = input.rotate || !ctx.keyring.has('turn')
  if (made) await rotateKey(ctx, actor, { purpose: 'turn' })
  return { secret: turnSecret(ctx), keyId: ctx.keyring.current('turn').id, made }
}

/**
 * A complete `turnserver.conf` for this server; creates the secret if there is none. `offered`: whether
 * clients are told of the relay, which requires TURN_HOST.
 */
export async function makeTurnConfig(
  ctx: Needs,
  actor: Actor,
): Promise<{ config: string; offered: boolean }> {
  await makeTurnSecret(ctx, actor, { rotate: false })
  const config = writeCoturnConfig(ctx.config, allTurnSecrets(ctx))
  return { config, offered: ctx.config.turn.host !== undefined }
}

export async function makeCredentialsFor(
  ctx: Needs,
  actor: Actor,
  input: { user: string; ttlSeconds: number },
): Promise<TurnCredentials> {
  const user = await requireAccount(ctx.db.read, actor.tenantId, input.user)
  if (ctx.config.turn.host === undefined) throw new AppError(turnErrors.notConfigured)
  if (!ctx.keyring.has('turn')) throw new AppError(turnErrors.noSecret)
  return makeTurnCredentials(ctx, user.id, input.ttlSeconds * SECOND)
}
