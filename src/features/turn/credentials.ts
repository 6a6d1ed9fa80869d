import { createHmac } from 'node:crypto'
import type { Ctx } from '../../context.ts'
import { HOUR } from '../../platform/clock.ts'
import type { Key } from '../../platform/keyring.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import type { TurnCredentials } from './schema.ts'

const LIFETIME = HOUR

/** coturn's shared secret as `turnserver.conf` spells it. */
export function turnSecret(ctx: Pick<Ctx, 'keyring'>): string {
  return spell(ctx.keyring.current('turn'))
}

/** The current secret and the ones before it that are not retired: coturn takes all of them. */
export function allTurnSecrets(ctx: Pick<Ctx, 'keyring'>): string[] {
  const keys = ctx.keyring.all().filter((key) => key.purpose === 'turn')
  return keys.reverse().map(spell)
}

/** A key from TURN_SECRET is the text itself, one of ours is written in hex. */
function spell(key: Key): string {
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
