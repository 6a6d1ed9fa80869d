import { isLoopback } from '../../config/loopback.ts'
import type { OidcProvider } from '../../config/oidc.ts'
import type { Ctx } from '../../context.ts'
import type { UserRow } from '../../db/tables.ts'
import type { Exchanged } from '../../outbound/oidc/client.ts'
import { OidcError } from '../../outbound/oidc/errors.ts'
import { SECOND } from '../../platform/clock.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { rolesOfClaims } from '../../policy/access-control.ts'
import type { Actor, UserActor } from '../../policy/actor.ts'
import { brokenRequirement } from '../../policy/issuer-requirements.ts'
import { isMultiFactor } from '../../policy/second-factor.ts'
import { findAccountById } from '../accounts/access.ts'
import { recordAudit } from '../audit/service.ts'
import { requireOpenInvitation } from '../invites/service.ts'
import {
  type AppTarget,
  accountNotActive,
  type Landing,
  land,
  type PendingSignIn,
  requireComplete,
  UNTOLD,
} from '../sessions/service.ts'
import { linkIdentity, notAdmitted, type Person, resolveAccount } from './account.ts'
import { oidcErrors } from './errors.ts'
import { beginFlow, callbackUri, type KeptFlow, requireProvider, resumeFlow } from './flow.ts'
import type { BeginSignIn, SignInConfig } from './schema.ts'

export { getIdentities, unlinkIdentity } from './identities.ts'
export { backChannelLogout, signOut } from './logout.ts'

type Needs = Pick<
  Ctx,
  'db' | 'clock' | 'ids' | 'keyring' | 'config' | 'log' | 'oidc' | 'access' | 'bus' | 'admission'
>

/** What a sign-in page needs to know. */
export function getSignInConfig({ config, access }: Pick<Ctx, 'config' | 'access'>): SignInConfig {
  const { methods, defaultMethod } = access.rules()
  const providers = methods.has('oauth') ? config.oidc.providers : []
  return {
    methods: [...methods],
    ...(defaultMethod === undefined ? {} : { defaultMethod }),
    providers: providers.map(({ name, type, label }) => ({
      name,
      type,
      displayName: label,
      url: `${config.publicUrl}/auth/login?provider=${name}`,
    })),
    // Passkeys open local accounts, as passwords do.
    passkeys: methods.has('password') && config.mfa.methods.includes('passkey'),
    signInUrl: `${config.publicUrl}/auth/sign-in`,
  }
}

/** The URL to which to send a browser that signs in with a provider. */
export async function beginSignIn(
  ctx: Needs,
  browser: string,
  input: BeginSignIn & { readonly provider: string },
  keep: boolean,
): Promise<URL> {
  // Where it is switched off there is no such place.
  if (!ctx.access.rules().methods.has('oauth')) throw new AppError(commonErrors.notFound)
  const provider = requireProvider(ctx.config, input.provider)
  // Checked before the user types a password at the provider.
  if (input.invitation !== undefined) await requireOpenInvitation(ctx, input.invitation)
  return beginFlow(
    ctx,
    provider,
    browser,
    {
      fresh: input.fresh === '1',
      returnTo: input.return_to,
      invitation: input.invitation,
      app: appTarget(ctx.config, input),
    },
    keep,
  )
}

/** Sends a signed-in user to a provider in order to link that identity to their account. */
export async function beginLink(
  ctx: Needs,
  browser: string,
  user: UserActor & { readonly sessionId: string },
  providerName: string,
): Promise<URL> {
  const link = { userId: user.userId, sessionId: user.sessionId }
  return beginFlow(ctx, requireProvider(ctx.config, providerName), browser, { fresh: false, link })
}

/** The app to call back, if its redirect URI is allowed (RFC 8252 §7). */
function appTarget(config: Ctx['config'], input: BeginSignIn): AppTarget | undefined {
  const { app_redirect: redirect, app_challenge: challenge, app_state: state } = input
  if (redirect === undefined || challenge === undefined) return undefined
  const url = URL.parse(redirect)
  const isLocal = url?.protocol === 'http:' && isLoopback(url.hostname)
  const isFine = url && !url.hash && (isLocal || config.oidc.appRedirects.includes(redirect))
  if (!isFine || url.username || url.password) throw new AppError(oidcErrors.invalidRequest)
  return { redirect, challenge, state }
}

export type CallbackResult =
  | { readonly kind: 'signed-in'; readonly landing: Landing }
  | { readonly kind: 'linked'; readonly provider: OidcProvider }

/**
 * Completes a sign-in with the parameters that the provider sent back. `signedIn` returns the user of the
 * browser's cookie: only the session that began to link an identity can complete that.
 */
export async function finishSignIn(
  ctx: Needs,
  actor: Actor,
  callback: URL,
  browser: string | undefined,
  signedIn: () => Promise<UserActor | undefined>,
): Promise<CallbackResult> {
  const state = callback.searchParams.get('state')
  const { provider, flow } = await resumeFlow(ctx, state, browser)
  const { claims, idToken } = await exchange(ctx, actor, provider, callback, flow)
  const person: Person = { provider, issuer: claims.iss, subject: claims.sub, claims }
  const broken = brokenRequirement(provider, claims)
  if (broken) throw notAdmitted(broken)
  if (flow.link) return endLink(ctx, actor, person, flow.link, await signedIn())

  const user = await resolveAccount(ctx, actor, person, flow.invitation)
  if (user.status === 'PendingAdmin') throw accountNotActive(user.status)
  if (user.status !== 'Active') throw notAdmitted('account_not_active', user.id)
  const pending = pendingOf(ctx, provider, { claims, idToken }, flow)
  await requireComplete(ctx, user, pending)
  return { kind: 'signed-in', landing: await land(ctx, actor, user, pending, pending) }
}

async function endLink(
  ctx: Needs,
  actor: Actor,
  person: Person,
  link: NonNullable<KeptFlow['link']>,
  signedIn: UserActor | undefined,
): Promise<CallbackResult> {
  const isSame = signedIn?.sessionId === link.sessionId && signedIn.userId === link.userId
  const user: UserRow | undefined = isSame
    ? await findAccountById(ctx.db.read, signedIn.tenantId, signedIn.userId)
    : undefined
  if (!user) throw new AppError(oidcErrors.invalidRequest)
  ctx.admission.check({ actor, changes: true })
  await linkIdentity(ctx, signedIn ?? actor, person, user)
  return { kind: 'linked', provider: person.provider }
}

/** Claims needed for account names and roles: if any is missing, userinfo is queried. */
function neededClaims(provider: OidcProvider): string[] {
  const [root] = provider.claimPath?.split('.') ?? []
  return ['email', 'preferred_username', ...(root ? [root] : [])]
}

async function exchange(
  ctx: Needs,
  actor: Actor,
  provider: OidcProvider,
  callback: URL,
  flow: KeptFlow & { state: string },
): Promise<Exchanged> {
  // The redirect URI that the provider was given, however a proxy may have rewritten it.
  const url = new URL(callbackUri(ctx.config))
  url.search = callback.search
  const redirectUri = callbackUri(ctx.config)
  try {
    return await ctx.oidc.exchange(provider, url, { ...flow, redirectUri }, neededClaims(provider))
  } catch (error) {
    if (error instanceof OidcError) await noteFailure(ctx, actor, provider, error)
    throw refusalOf(error)
  }
}

/** For the audit log, and for the operator, who has to find the fault in the settings or the provider. */
async function noteFailure(
  ctx: Needs,
  actor: Actor,
  provider: OidcProvider,
  error: OidcError,
): Promise<void> {
  const { reason, providerError } = error
  const why = reasonsOf(error).join(': ')
  ctx.log.warn({ provider: provider.name, reason, providerError, why }, 'a sign-in failed')
  await ctx.db.transaction((tx) =>
    recordAudit(ctx, tx, actor, {
      type: 'session.refused',
      outcome: 'deny',
      details: { provider: provider.name, reason: providerError ?? reason },
    }),
  )
}

/** The messages of the error and its causes: the libraries' messages name claims but quote none. */
function reasonsOf(error: unknown): string[] {
  return error instanceof Error ? [error.message, ...reasonsOf(error.cause)] : []
}

/** The error reported to the caller for a provider's failure. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof OidcError)) return error
  const options = { cause: error }
  switch (error.reason) {
    case 'unavailable':
      return new AppError(oidcErrors.idpUnavailable, {}, options)
    case 'refused':
      return new AppError(oidcErrors.invalidGrant, {}, options)
    case 'token':
      return new AppError(oidcErrors.invalidToken, {}, options)
    case 'response':
      if (error.providerError === undefined)
        return new AppError(oidcErrors.invalidRequest, {}, options)
      return new AppError(
        error.providerError === 'access_denied' ? oidcErrors.accessDenied : oidcErrors.signInFailed,
        {},
        options,
      )
  }
}

function pendingOf(
  ctx: Needs,
  provider: OidcProvider,
  { claims, idToken }: Exchanged,
  { returnTo, app }: KeptFlow,
): PendingSignIn {
  const now = ctx.clock.now()
  // The issue time of the token says nothing: a provider may issue one for a sign-in of last week. Its clock
  // may be ahead of ours; a sign-in cannot be later than now.
  const authenticatedAt =
    typeof claims.auth_time === 'number' ? Math.min(now, claims.auth_time * SECOND) : UNTOLD
  const isMulti = isMultiFactor(claims, provider.secondFactorAcr)
  return {
    methods: ['sso', ...(isMulti ? ['mfa'] : [])],
    authenticatedAt,
    secondFactorAt: isMulti ? authenticatedAt : undefined,
    sso: {
      provider: provider.name,
      issuer: claims.iss,
      subject: claims.sub,
      idpSession: typeof claims.sid === 'string' ? claims.sid : undefined,
      idToken,
      roles: rolesOfClaims(ctx.access.rules().roleTable, claims),
    },
    returnTo,
    app,
  }
}
