import type { Ctx } from '../../context.ts'
import { readForm } from '../../http/body.ts'
import { cookieOf, hostCookie, SESSION_COOKIE, setCookie } from '../../http/cookies.ts'
import { defineRawRoute } from '../../http/define-route.ts'
import { html, movingOn, page } from '../../http/page.ts'
import { AppError } from '../../platform/errors.ts'
import { parseInput } from '../../platform/parse-input.ts'
import { randomToken } from '../../platform/tokens.ts'
import { type Actor, languageOf, requireUser, type UserActor } from '../../policy/actor.ts'
import { oidcErrors } from '../oidc/errors.ts'
import { BeginSignIn } from '../oidc/schema.ts'
import { backChannelLogout, beginLink, beginSignIn, finishSignIn } from '../oidc/service.ts'
import { findBrowserUser } from '../sessions/service.ts'
import { BROWSER_COOKIE } from './cookies.ts'
import { landed, toSecondStep } from './landing-pages.ts'
import { SIGN_IN_TEXTS } from './sign-in-text.ts'

const MAX_FORM_BYTES = 32 * 1024

export const providerRoutes = [
  defineRawRoute({
    method: 'get',
    path: '/auth/login',
    summary: 'Send the browser to a provider to sign in',
    permission: 'public',
    rate: 'auth-begin',
    refusal: 'page',
    respond: async (ctx, _actor, { request }) => {
      const input = parseInput(BeginSignIn, queryOf(request), 'query')
      const { providers } = ctx.config.oidc
      const provider = input.provider ?? (providers.length === 1 ? providers[0]?.name : undefined)
      if (provider === undefined) return redirect(signInPath(ctx.config, request))
      const browser = browserOf(ctx.config, request)
      const keep = request.method !== 'HEAD'
      const url = await beginSignIn(ctx, browser, { ...input, provider }, keep)
      return redirect(url.href, keep ? [browserCookie(ctx.config, browser)] : [])
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/auth/callback',
    summary: 'Where a provider sends the browser back to',
    permission: 'public',
    rate: 'auth-begin',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const browser = cookieOf(request, hostCookie(ctx.config, BROWSER_COOKIE))
      const signedIn = () => signedInActor(ctx, actor, request)
      try {
        const url = new URL(request.url)
        const result = await finishSignIn(ctx, actor, url, browser, signedIn)
        if (result.kind === 'signed-in') return await landed(ctx, actor, request, result.landing)
        const cookie = undefined
        const location = `${ctx.config.pathPrefix}/auth/account`
        return await landed(ctx, actor, request, { cookie, location })
      } catch (error) {
        return toSecondStep(ctx.config, actor, error)
      }
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/link',
    summary: 'Send the browser to a provider to connect its identity to the account',
    permission: 'signed-in',
    rate: 'auth-begin',
    stepUp: true,
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const { provider = '' } = await readForm(request, MAX_FORM_BYTES)
      const user = requireUser(actor)
      // The callback needs the same cookie, which other credentials do not have.
      if (user.credential !== 'session-cookie') throw new AppError(oidcErrors.browserRequired)
      const browser = browserOf(ctx.config, request)
      const url = await beginLink(ctx, browser, user, provider)
      return movingOn(languageOf(actor), url.href, [browserCookie(ctx.config, browser)])
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/backchannel-logout',
    summary: 'End the sessions that a provider’s logout token names',
    permission: 'public',
    rate: 'auth-logout-token',
    operationClass: 'sign-in',
    respond: async (ctx, actor, { request }) => {
      const { logout_token: token = '' } = await readForm(request, MAX_FORM_BYTES)
      await backChannelLogout(ctx, actor, token)
      return new Response(null, { status: 200 })
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/auth/signed-out',
    summary: 'The page after signing out',
    permission: 'public',
    rate: 'unlimited',
    refusal: 'page',
    respond: (ctx, actor) => {
      const language = languageOf(actor)
      const texts = SIGN_IN_TEXTS[language]
      const address = `${ctx.config.pathPrefix}/auth/sign-in`
      return page(texts.signedOut, html`<p><a href="${address}">${texts.signInAgain}</a></p>`, {
        language,
      })
    },
  }),
]

/** Identifies this browser while it is at a provider; a second tab keeps the first one's value. */
function browserOf(config: Ctx['config'], request: Request): string {
  return cookieOf(request, hostCookie(config, BROWSER_COOKIE)) ?? randomToken(32)
}

function browserCookie(config: Ctx['config'], browser: string): string {
  return setCookie(config, hostCookie(config, BROWSER_COOKIE), browser, config.oidc.flowSeconds)
}

async function signedInActor(
  ctx: Ctx,
  { origin }: Actor,
  request: Request,
): Promise<UserActor | undefined> {
  const token = cookieOf(request, SESSION_COOKIE)
  return token ? findBrowserUser(ctx, token, origin) : undefined
}

function redirect(location: string, cookies: readonly string[] = []): Response {
  const response = new Response(null, { status: 302, headers: { location } })
  for (const cookie of cookies) response.headers.append('set-cookie', cookie)
  return response
}

function signInPath(config: Ctx['config'], request: Request): string {
  return `${config.pathPrefix}/auth/sign-in${new URL(request.url).search}`
}

function queryOf(request: Request): Record<string, string> {
  return Object.fromEntries(new URL(request.url).searchParams)
}
