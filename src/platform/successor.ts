import { type Clock, SECOND, toIso } from './clock.ts'
import type { Keyring } from './keyring.ts'
import { hmacToken, sha256Hex } from './tokens.ts'

/** How long a repeat of the same refresh gets the same successor: a client that lost the answer asks again. */
const GRACE = 10 * SECOND

/** A refresh token as it is kept: of itself and of its successor no more than hashes. */
export interface RotatingToken {
  /** When a successor took its place; null: it is the newest. */
  readonly rotated_at: string | null
  readonly successor_hash: string | null
  readonly successor_rotated_at: string | null
}

/** Where refresh tokens are kept. */
export interface RotatingTokens<Tx, T> {
  find(tx: Tx, tokenHash: string): Promise<T | undefined>
  /** False when another request rotated it first. */
  markRotated(tx: Tx, tokenHash: string, successorHash: string, now: string): Promise<boolean>
}

/** `rotated`: the successor is new, and still to be kept; `repeated`: it was given before. */
export type Rotation<T> =
  | { readonly kind: 'rotated' | 'repeated'; readonly token: T; readonly successor: string }
  | { readonly kind: 'reused'; readonly token: T }

/**
 * Trades a refresh token, which stands, for its successor (RFC 9700 §4.14.2). The successor is computed from the
 * token, so that concurrent and repeated refreshes agree on it; a use after the grace, or after the successor
 * was used, is `reused`: one of two who have the token stole it.
 */
export async function takeSuccessor<Tx, T extends RotatingToken>(
  { keyring, clock }: { readonly keyring: Keyring; readonly clock: Clock },
  tx: Tx,
  { find, markRotated }: RotatingTokens<Tx, T>,
  presented: string,
  found: T,
): Promise<Rotation<T>> {
  const now = clock.now()
  const tokenHash = sha256Hex(presented)
  let token = found
  if (token.rotated_at === null) {
    const successor = hmacToken(keyring.current('refresh').key, presented)
    if (await markRotated(tx, tokenHash, sha256Hex(successor), toIso(now))) {
      return { kind: 'rotated', token, successor }
    }
    // Another node was faster between the look and the change: now it is a repeat.
    token = (await find(tx, tokenHash)) as T
  }
  const successor = recompute(keyring, presented, token.successor_hash)
  const age = now - Date.parse(token.rotated_at as string)
  const inGrace = age <= GRACE && token.successor_rotated_at === null
  return inGrace && successor !== undefined
    ? { kind: 'repeated', token, successor }
    : { kind: 'reused', token }
}

/** The successor with this hash, by the key that made it: the newest may be another one by now. */
function recompute(keyring: Keyring, token: string, hash: string | null): string | undefined {
  return keyring
    .all()
    .filter(({ purpose }) => purpose === 'refresh')
    .map(({ key }) => hmacToken(key, token))
    .find((candidate) => sha256Hex(candidate) === hash)
}
