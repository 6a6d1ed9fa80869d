import type { OidcProvider } from '../../config/oidc.ts'
import type { Ctx } from '../../context.ts'
import { OidcError } from '../../outbound/oidc/errors.ts'
import { MINUTE, SECOND, toIso } from '../../platform/clock.ts'
import { AppError } from '../../platform/errors.ts'
import { sha256Hex } from '../../platform/tokens.ts'
import type { Actor, UserActor } from '../../policy/actor.ts'
import { recordAudit } from '../audit/service.ts'
import { endSession, endSsoSessions, logoutHint } from '../sessions/service.ts'
import { oidcErrors } from './errors.ts'
import { rememberLogoutToken } from './store.ts'

type Needs = Pick<Ctx, 'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'bus' | 'log' | 'oidc'>

/**
 * Ends the browser's session. Returns the URL that ends the provider's own session (OpenID Connect
 * RP-Initiated Logout), or undefined: signed in another way, or the provider has no such URL or is down.
 */
export async function signOut(ctx: Needs, actor: UserActor): Promise<URL | undefined> {
  const hint = await logoutHint(ctx, actor.sessionId ?? '')
  await endSession(ctx, actor)
  const provider = hint && ctx.config.oidc.providers.find(({ name }) => name === hint.provider)
  if (!hint || provider?.issuer !== hint.issuer) return undefined
  const returnUri = `${ctx.config.publicUrl}/auth/signed-out`
  try {
    return await ctx.oidc.endSessionUrl(provider, { idToken: hint.idToken, returnUri })
  } catch (error) {
    ctx.log.warn({ err: error, provider: provider.name }, 'no logout at the provider')
    return undefined
  }
}

/** A logout token must be recent (OpenID Connect Back-Channel Logout §2.6). */
const MAX_AGE = 5 * MINUTE
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * Ends the sessions that a provider's logout token names. A token is processed once. Whatever its type header
 * says, it differs from an ID token by the event that it must have and the nonce that it must not (§2.6).
 */
export async function backChannelLogout(ctx: Needs, actor: Actor, token: string): Promise<void> {
  const { provider, claims } = await readLogoutToken(ctx, token)
  const { iat = 0, jti, sub, sid, events, nonce } = claims
  const now = ctx.clock.now()
  const isLogout = isObject(events) && isObject(events[EVENT])
  const names = typeof sub === 'string' || typeof sid === 'string'
  const isFresh = iat * SECOND > now - MAX_AGE
  if (!isLogout || !names || !isFresh || typeof jti !== 'string' || nonce !== undefined) {
    throw new AppError(oidcErrors.invalidLogoutToken)
  }
  await ctx.db.transaction(async (tx) => {
    const isFirst = await rememberLogoutToken(tx, {
      token_hash: sha256Hex(`${provider.issuer} ${jti}`),
      tenant_id: ctx.config.tenantId,
      expires_at: toIso(now + 2 * MAX_AGE),
    })
    if (!isFirst) throw new AppError(oidcErrors.invalidLogoutToken)
    const sessionsEnded = await endSsoSessions(ctx, tx, provider.issuer, {
      subject: typeof sub === 'string' ? sub : undefined,
      idpSession: typeof sid === 'string' ? sid : undefined,
    })
    await recordAudit(ctx, tx, actor, {
      type: 'session.ended',
      target: { type: 'provider', id: provider.name },
      details: { by: 'back_channel', sessionsEnded },
    })
  })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

async function readLogoutToken(ctx: Needs, token: string) {
  const refusal = (cause?: unknown) => new AppError(oidcErrors.invalidLogoutToken, {}, { cause })
  for (const provider of candidates(ctx.config.oidc.providers, token)) {
    try {
      return { provider, claims: await ctx.oidc.verifyLogoutToken(provider, token) }
    } catch (error) {
      if (!(error instanceof OidcError)) throw error
      if (error.reason === 'unavailable') {
        throw new AppError(oidcErrors.idpUnavailable, {}, { cause: error })
      }
      throw refusal(error)
    }
  }
  throw refusal()
}

/** The provider that the token names; its signature is verified later. */
function candidates(providers: readonly OidcProvider[], token: string): readonly OidcProvider[] {
  try {
    const { iss, aud } = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
    )
    return providers
      .filter((one) => one.issuer === iss && [aud].flat().includes(one.clientId))
      .slice(0, 1)
  } catch {
    return []
  }
}
