import { SECOND } from './clock.ts'
import type { Keyring } from './keyring.ts'
import { hmacToken, sha256Hex } from './tokens.ts'

/** How long a repeat of the same refresh gets the same successor: a client that lost the answer asks again. */
export const SUCCESSOR_GRACE = 10 * SECOND

/** The refresh token that follows one: computed, so that concurrent and repeated refreshes agree on it. */
export function successorOf(keyring: Keyring, token: string): string {
  return hmacToken(keyring.current('refresh').key, token)
}

/** The successor with this hash, by the key that made it: the newest may be another one by now. */
export function recomputeSuccessor(
  keyring: Keyring,
  token: string,
  successorHash: string | null,
): string | undefined {
  return keyring
    .all()
    .filter((key) => key.purpose === 'refresh')
    .map((key) => hmacToken(key.key, token))
    .find((candidate) => sha256Hex(candidate) === successorHash)
}
