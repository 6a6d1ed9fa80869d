import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTVerifyGetKey,
  type RemoteJWKSet,
} from 'jose'
import type { JwtIssuer } from '../../config/access.ts'
import type { GuardedFetch } from '../../outbound/guarded-fetch.ts'
import { type Clock, HOUR, SECOND } from '../../platform/clock.ts'

/** How long keys that were read once go on while the issuer does not answer. */
const STALE = 24 * HOUR
/** After a failure nobody else waits for an issuer that is down. */
const RETRY = 10 * SECOND

/** The issuer's keys could not be read, and there are none from before. */
export class KeysUnavailable extends Error {
  constructor(options?: ErrorOptions) {
    super('the keys of the issuer cannot be read', options)
  }
}

/**
 * Finds the key that a token names in the issuer's key set (RFC 7517): read when first needed, again
 * after ten minutes, and at a name that is not in it, but not more than every 30 seconds.
 */
export function createIssuerKeys(
  issuer: JwtIssuer,
  fetch: GuardedFetch,
  clock: Clock,
): JWTVerifyGetKey {
  let opening: Promise<RemoteJWKSet> | undefined
  let failedAt = Number.NEGATIVE_INFINITY
  let readAt = Number.NEGATIVE_INFINITY

  const read = async (url: string): Promise<Response> => {
    if (clock.now() - failedAt < RETRY) throw new KeysUnavailable()
    try {
      // The issuer's own host stands in the settings; where else it points is anybody's address.
      const trusted =
        url === issuer.jwksUri || new URL(url).origin === new URL(issuer.issuer).origin
      const answer = await fetch({
        url,
        method: 'GET',
        headers: { accept: 'application/json' },
        trusted,
        maxBytes: 512 * 1024,
      })
      if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`)
      return new Response(new Uint8Array(answer.body))
    } catch (cause) {
      failedAt = clock.now()
      throw new KeysUnavailable({ cause })
    }
  }

  const open = async (): Promise<RemoteJWKSet> => {
    const url = issuer.jwksUri ?? (await discover(issuer.issuer, read))
    return createRemoteJWKSet(new URL(url), {
      [customFetch]: async (address) => {
        const answer = await read(address)
        readAt = clock.now()
        return answer
      },
    })
  }

  return async (header, token) => {
    opening ??= open().catch((error) => {
      opening = undefined
      throw error
    })
    const keys = await opening
    try {
      return await keys(header, token)
    } catch (error) {
      if (isAboutToken(error)) throw error
      const known = clock.now() - readAt < STALE ? keys.jwks() : undefined
      if (known) return createLocalJWKSet(known)(header, token)
      throw error instanceof KeysUnavailable ? error : new KeysUnavailable({ cause: error })
    }
  }
}

/** Whether the fault is the token's and not that of the key set or its server. */
function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
}

/** Where the issuer says its keys are (OpenID Connect Discovery §4); it has to call itself what we do. */
async function discover(issuer: string, read: (url: string) => Promise<Response>): Promise<string> {
  const answer = await read(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  try {
    const { issuer: name, jwks_uri: url } = (await answer.json()) as Record<string, unknown>
    if (name !== issuer) throw new Error(`the discovery document is that of ${String(name)}`)
    if (typeof url !== 'string' || !URL.canParse(url)) throw new Error('no jwks_uri')
    return url
  } catch (cause) {
    throw new KeysUnavailable({ cause })
  }
}
