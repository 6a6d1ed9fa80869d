import { createHmac } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { HOUR } from '../../platform/clock.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import type { TurnCredentials } from './schema.ts'

const LIFETIME = HOUR

/**
 * coturn's shared secret: a key from TURN_SECRET is the text itself, one of ours is written in hex, as
 * `turnserver.conf` has it.
 */
export function turnSecret(ctx: Pick<Ctx, 'keyring'>): string {
  const key = ctx.keyring.current('turn')
  return key.source === 'environment' ? key.key.toString('utf8') : key.key.toString('hex')
}

/** Credentials of the TURN REST form (draft-uberti-behave-turn-rest-00 §2.2), good for `ttlMs`. */
export function makeTurnCredentials(
  ctx: Pick<Ctx, 'config' | 'keyring' | 'clock'>,
  userId: string,
  ttlMs = LIFETIME,
): TurnCredentials {
  const { turn } = ctx.config
  if (!turn || !ctx.keyring.has('turn')) {
    return { urls: [], username: '', credential: '', expiresAt: 0 }
  }
  const expiresAt = Math.floor((ctx.clock.now() + ttlMs) / 1000)
  const username = `${expiresAt}:${userId}`
  const credential = createHmac('sha1', turnSecret(ctx)).update(username).digest('base64')
  return { urls: turnUrls(turn.host), username, credential, expiresAt }
}

function turnUrls(host: string): string[] {
  return [
    `stun:${host}:3478`,
    `turn:${host}:3478?transport=udp`,
    `turn:${host}:3478?transport=tcp`,
    `turns:${host}:5349?transport=tcp`,
  ]
}

export async function getTurnCredentials(
  ctx: Pick<Ctx, 'config' | 'keyring' | 'clock'>,
  actor: Actor,
): Promise<TurnCredentials> {
  return makeTurnCredentials(ctx, requireUser(actor).userId)
}
