import { type Clock, SECOND, toIso } from './clock.ts'
import type { Keyring } from './keyring.ts'
import { hmacToken, sha256Hex } from './tokens.ts'

/** How long a repeated refresh gets the same successor, for a client that lost the response. */
const GRACE = 10 * SECOND

/** A refresh token as stored: only hashes of it and of its successor. */
export interface RotatingToken {
  /** When a successor replaced it; null for the newest. */
  readonly rotated_at: string | null
  readonly successor_hash: string | null
  readonly successor_rotated_at: string | null
}

/** A store of refresh tokens. */
export interface RotatingTokens<Tx, T> {
  find(tx: Tx, tokenHash: string): Promise<T | undefined>
  /** False when another request rotated it first. */
  markRotated(tx: Tx, tokenHash: string, successorHash: string, now: string): Promise<boolean>
}

/** `rotated`: the successor is new and still to be stored; `repeated`: it was issued before. */
export type Rotation<T> =
  | { readonly kind: 'rotated' | 'repeated'; readonly token: T; readonly successor: string }
  | { readonly kind: 'reused'; readonly token: T }

/**
 * Exchanges a valid refresh token for its successor (RFC 9700 §4.14.2). The successor is computed from the
 * token, so that concurrent and repeated refreshes agree on it. Use after the grace period, or after the
 * successor was used, is `reused`: the token has two holders, and one of them stole it.
 */
export async function rotateToken<Tx, T extends RotatingToken>(
  { keyring, clock }: { readonly keyring: Keyring; readonly clock: Clock },
  tx: Tx,
  { find, markRotated }: RotatingTokens<Tx, T>,
  presented: string,
  found: T,
): Promise<Rotation<T>> {
  const now = clock.now()
  const tokenHash = sha256Hex(presented)
  let token: T | undefined = found
  if (found.rotated_at === null) {
    const successor = hmacToken(keyring.current('refresh').key, presented)
    if (await markRotated(tx, tokenHash, sha256Hex(successor), toIso(now))) {
      return { kind: 'rotated', token: found, successor }
    }
    // Another node rotated it after we read the row, so this is now a repeat.
    token = await find(tx, tokenHash)
  }
  if (!token?.rotated_at) throw new Error('a refresh token was deleted while it was rotated')
  const successor = recompute(keyring, presented, token.successor_hash)
  const age = now - Date.parse(token.rotated_at)
  const inGrace = age <= GRACE && token.successor_rotated_at === null
  return inGrace && successor !== undefined
    ? { kind: 'repeated', token, successor }
    : { kind: 'reused', token }
}

/** The successor with this hash, made with any refresh key: the current one may have changed since. */
function recompute(keyring: Keyring, token: string, hash: string | null): string | undefined {
  return keyring
    .all()
    .filter(({ purpose }) => purpose === 'refresh')
    .map(({ key }) => hmacToken(key, token))
    .find((candidate) => sha256Hex(candidate) === hash)
}
