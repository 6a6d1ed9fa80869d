import { createHmac } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { TurnConfig } from '../../config/turn.ts'
import type { Ctx } from '../../context.ts'
import { HOUR } from '../../platform/clock.ts'
import type { Key } from '../../platform/keyring.ts'
import { type Actor, requireUser } from '../../policy/actor.ts'
import type { TurnCredentials } from './schema.ts'

const LIFETIME = HOUR

/** coturn's shared secret as written in `turnserver.conf`. */
export function turnSecret(ctx: Pick<Ctx, 'keyring'>): string {
  return spell(ctx.keyring.current('turn'))
}

/** The current secret and the older ones not yet retired: coturn accepts all of them. */
export function allTurnSecrets(ctx: Pick<Ctx, 'keyring'>): string[] {
  const keys = ctx.keyring.all().filter((key) => key.purpose === 'turn')
  return keys.reverse().map(spell)
}

/** A key from TURN_SECRET is the text itself; a generated one is written in hex. */
function spell(key: Key): string {
  return key.source === 'environment' ? key.key.toString('utf8') : key.key.toString('hex')
}

/** Credentials in the TURN REST format (draft-uberti-behave-turn-rest-00 §2.2), valid for `ttlMs`. */
export function makeTurnCredentials(
  ctx: Pick<Ctx, 'config' | 'keyring' | 'clock'>,
  userId: string,
  ttlMs = LIFETIME,
): TurnCredentials {
  const { turn } = ctx.config
  if (turn.host === undefined || !ctx.keyring.has('turn')) {
    return { urls: [], username: '', credential: '', expiresAt: 0 }
  }
  const expiresAt = Math.floor((ctx.clock.now() + ttlMs) / 1000)
  const username = `${expiresAt}:${userId}`
  const credential = createHmac('sha1', turnSecret(ctx)).update(username).digest('base64')
  return { urls: turnUrls(turn.host, turn), username, credential, expiresAt }
}

/** RFC 7064 and 7065. */
function turnUrls(host: string, { port, tlsPort }: TurnConfig): string[] {
  const name = isIPv6(host) ? `[${host}]` : host
  return [
    `stun:${name}:${port}`,
    `turn:${name}:${port}?transport=udp`,
    `turn:${name}:${port}?transport=tcp`,
    ...(tlsPort === undefined ? [] : [`turns:${name}:${tlsPort}?transport=tcp`]),
  ]
}

export async function getTurnCredentials(
  ctx: Pick<Ctx, 'config' | 'keyring' | 'clock'>,
  actor: Actor,
): Promise<TurnCredentials> {
  return makeTurnCredentials(ctx, requireUser(actor).userId)
}
