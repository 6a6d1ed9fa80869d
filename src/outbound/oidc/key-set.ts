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

/** How long keys are used without asking for them again. */
const FRESH = 10 * MINUTE
/** How long they are used when the provider cannot be asked: then a key taken back there would still count. */
const STALE = DAY
/** A token that names an unknown key makes us ask at most so often. */
const COOLDOWN = 30 * SECOND

/** A provider's signing keys, kept a while and asked for once more when a token names an unknown one. */
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
