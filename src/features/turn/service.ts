import type { Ctx } from '../../context.ts'
import { SECOND } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import type { Actor } from '../../policy/actor.ts'
import { requireAccount } from '../accounts/access.ts'
import { rotateKey } from '../keys/service.ts'
import { allTurnSecrets, makeTurnCredentials, turnSecret } from './credentials.ts'
import { turnErrors } from './errors.ts'
import type { TurnCredentials } from './schema.ts'

type Needs = Pick<Ctx, 'db' | 'keyring' | 'clock' | 'ids' | 'config'>

/** The secret to share with coturn; makes one when there is none, or when asked to rotate. */
export async function makeTurnSecret(
  ctx: Needs,
  actor: Actor,
  input: { rotate: boolean },
): Promise<{ secret: string; keyId: string; made: boolean }> {
  const made = input.rotate || !ctx.keyring.has('turn')
  if (made) await rotateKey(ctx, actor, { purpose: 'turn' })
  return { secret: turnSecret(ctx), keyId: ctx.keyring.current('turn').id, made }
}

/** A whole `turnserver.conf` for this server; makes the secret if there is none. */
export async function makeTurnConfig(ctx: Needs, actor: Actor): Promise<{ config: string }> {
  await makeTurnSecret(ctx, actor, { rotate: false })
  const host = ctx.config.turn?.host ?? new URL(ctx.config.publicUrl).hostname
  const realm = ctx.config.turn?.realm ?? host
  const lines = [
    '# coturn for Mimir: /etc/turnserver.conf',
    'listening-port=3478',
    'tls-listening-port=5349',
    'min-port=49152',
    'max-port=65535',
    '',
    '# Time-limited credentials (TURN REST). During a rotation the older secrets stay listed.',
    'use-auth-secret',
    ...allTurnSecrets(ctx).map((secret) => `static-auth-secret=${secret}`),
    `realm=${realm}`,
    `server-name=${host}`,
    '',
    '# For turns: on 5349 point these at the certificate of the host.',
    `#cert=/etc/letsencrypt/live/${host}/fullchain.pem`,
    `#pkey=/etc/letsencrypt/live/${host}/privkey.pem`,
    '',
    '# Behind NAT: the address that the world sees, and the one of this machine.',
    '#external-ip=PUBLIC/PRIVATE',
    '',
    'fingerprint',
    'no-cli',
    'no-multicast-peers',
    '# A relay must not be a way into the private networks around it.',
    'denied-peer-ip=0.0.0.0-0.255.255.255',
    'denied-peer-ip=10.0.0.0-10.255.255.255',
    'denied-peer-ip=100.64.0.0-100.127.255.255',
    'denied-peer-ip=127.0.0.0-127.255.255.255',
    'denied-peer-ip=169.254.0.0-169.254.255.255',
    'denied-peer-ip=172.16.0.0-172.31.255.255',
    'denied-peer-ip=192.168.0.0-192.168.255.255',
    'denied-peer-ip=::1',
    'denied-peer-ip=fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'denied-peer-ip=fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    'user-quota=12',
    'total-quota=1200',
  ]
  return { config: `${lines.join('\n')}\n` }
}

export async function makeCredentialsFor(
  ctx: Needs,
  actor: Actor,
  input: { user: string; ttlSeconds: number },
): Promise<TurnCredentials> {
  const user = await requireAccount(ctx.db.read, actor.tenantId, input.user)
  const credentials = makeTurnCredentials(ctx, user.id, input.ttlSeconds * SECOND)
  if (credentials.expiresAt === 0) throw new AppError(turnErrors.notConfigured)
  return credentials
}
