import { createHmac } from 'node:crypto'
import { randomToken } from '../../platform/tokens.ts'

/** Marks the text as a secret (Standard Webhooks 1.0.0, "Signature scheme"). */
const SECRET_PREFIX = 'whsec_'
const SECRET_BYTES = 32

export function newSecret(): string {
  const bytes = Buffer.from(randomToken(SECRET_BYTES), 'base64url')
  return SECRET_PREFIX + bytes.toString('base64')
}

/**
 * Headers with the message's id, its time and a signature: the symmetric scheme of Standard Webhooks 1.0.0,
 * for which receivers have libraries. `now` is in milliseconds.
 */
export function signedHeaders(
  secret: string,
  id: string,
  now: number,
  body: string,
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000))
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
}
