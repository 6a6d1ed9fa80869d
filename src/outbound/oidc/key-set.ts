import {
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
  type JWTVerifyGetKey,
} from 'jose'
import type { Clock } from '../../platform/clock.ts'
import { DAY, MINUTE, SECOND } from '../../platform/clock.ts'
import { OidcError } from './errors.ts'
import { isUnavailable } from './fetch.ts'

/** How long keys are used without fetching them again. */
const FRESH = 10 * MINUTE
/** How long they are used while the provider is unreachable; a key revoked there stays valid until then. */
const STALE = DAY
/** Shortest time between fetches that tokens with unknown keys cause. */
const COOLDOWN = 30 * SECOND

/** Caches a provider's signing keys, and fetches them again when a token names an unknown one. */
export function createKeySet(clock: Clock, load: () => Promise<JSONWebKeySet>): JWTVerifyGetKey {
  let keys: { find: ReturnType<typeof createLocalJWKSet>; at: number } | undefined
  let asked = Number.NEGATIVE_INFINITY

  async function refresh(): Promise<void> {
    asked = clock.now()
    try {
      keys = { find: createLocalJWKSet(await load()), at: asked }
    } catch (error) {
      if (keys && clock.now() - keys.at < STALE && isUnavailable(error)) return
      throw error
    }
  }

  return async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
    if (!keys || clock.now() - keys.at >= FRESH) await refresh()
    try {
      return await find(header, token)
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey
      if (!isUnknown || clock.now() - asked < COOLDOWN) throw error
      await refresh()
      return find(header, token)
    }
  }

  function find(header: JWSHeaderParameters, token: FlattenedJWSInput) {
    if (!keys) throw new OidcError('unavailable', 'the provider gave no keys')
    return keys.find(header, token)
  }
}
