import type { Ctx } from '../../context.ts'
import { jsonOf, readForm } from '../../http/body.ts'
import { clearCookie, cookieOf, SESSION_COOKIE } from '../../http/cookies.ts'
import { defineRawRoute } from '../../http/define-route.ts'
import { html, movingOn } from '../../http/page.ts'
import { wantsPage } from '../../http/refusal-page.ts'
import { requireSameOrigin } from '../../http/same-origin.ts'
import { AppError } from '../../platform/errors.ts'
import { PasskeySignIn } from '../mfa/schema.ts'
import { completePasskeySignIn } from '../mfa/service.ts'
import { ReturnTo } from '../oidc/schema.ts'
import { getSignInConfig, signOut } from '../oidc/service.ts'
import { Login } from '../sessions/schema.ts'
import { authenticateBrowser, checkPassword, land, requireComplete } from '../sessions/service.ts'
import { accountRoutes } from './account-pages.ts'
import { factorRoutes } from './factor-pages.ts'
import { formPage } from './form-pages.ts'
import { landed, toSecondStep } from './landing-pages.ts'
import { PASSKEY_SCRIPT } from './passkey-script.ts'
import { providerRoutes } from './provider-pages.ts'

const MAX_FORM_BYTES = 32 * 1024

const signInRoutes = [
  defineRawRoute({
    method: 'get',
    path: '/auth/sign-in',
    summary: 'The page to sign in at',
    permission: 'public',
    rate: 'unlimited',
    respond: (ctx, _actor, { request }) => {
      const query = new URL(request.url).searchParams
      return signInPage(ctx, { returnTo: query.get('return_to') ?? undefined, query })
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/sign-in',
    summary: 'Signs a browser in by password',
    permission: 'public',
    rate: 'auth-login',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const form = await readForm(request, MAX_FORM_BYTES)
      requireSameOrigin(ctx.config, request)
      const returnTo = ReturnTo.safeParse(form.return_to).data
      const login = Login.safeParse(form)
      if (!login.success)
        return signInPage(ctx, { returnTo, problem: 'Give a name and a password.' })
      try {
        const user = await checkPassword(ctx, actor, login.data)
        const signIn = { methods: ['pwd'], authenticatedAt: ctx.clock.now(), returnTo }
        await requireComplete(ctx, user, signIn)
        return await landed(ctx, request, await land(ctx, actor, user, signIn, signIn))
      } catch (error) {
        if (isWrong(error)) return signInPage(ctx, { returnTo, problem: error.message })
        return toSecondStep(ctx.config, error)
      }
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/passkey',
    summary: 'Signs a browser in by passkey',
    permission: 'public',
    rate: 'auth-second-factor',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const form = await readForm(request, MAX_FORM_BYTES)
      requireSameOrigin(ctx.config, request)
      const returnTo = ReturnTo.safeParse(form.return_to).data
      const passkey = PasskeySignIn.safeParse({ passkey: jsonOf(form.passkey) })
      if (!passkey.success) {
        return signInPage(ctx, { returnTo, problem: 'Your browser did not show a passkey.' })
      }
      try {
        const { user, proof } = await completePasskeySignIn(ctx, actor, passkey.data)
        return await landed(ctx, request, await land(ctx, actor, user, proof, { returnTo }))
      } catch (error) {
        if (isWrong(error)) return signInPage(ctx, { returnTo, problem: error.message })
        throw error
      }
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/auth/logout',
    summary: 'Asks whether to sign the browser out',
    permission: 'public',
    rate: 'unlimited',
    respond: () => formPage('Sign out', html`<form method="post"><button>Sign out</button></form>`),
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/logout',
    summary: 'Signs the browser out here, and leads on to the same at its provider',
    permission: 'public',
    rate: 'unlimited',
    refusal: 'page',
    respond: async (ctx, { origin }, { request }) => {
      await readForm(request, MAX_FORM_BYTES)
      requireSameOrigin(ctx.config, request)
      const token = cookieOf(request, SESSION_COOKIE)
      const user = token && (await authenticateBrowser(ctx, token, origin).catch(() => undefined))
      const elsewhere = user ? await signOut(ctx, user) : undefined
      const location = elsewhere?.href ?? `${ctx.config.pathPrefix}/auth/signed-out`
      const cookie = clearCookie(ctx.config, SESSION_COOKIE)
      if (wantsPage(request)) return movingOn(location, [cookie])
      const answer = { endSessionUrl: elsewhere?.href ?? null }
      return Response.json(answer, { headers: { 'set-cookie': cookie } })
    },
  }),
]

export const routes = [...signInRoutes, ...providerRoutes, ...factorRoutes, ...accountRoutes]

/** Whether the person may try again on the same page. */
function isWrong(error: unknown): error is AppError {
  const codes = ['invalid_credentials', 'invalid_second_factor', 'account_not_active']
  return error instanceof AppError && codes.includes(error.code)
}

interface SignInPage {
  readonly returnTo?: string | undefined
  readonly problem?: string
  /** What a sign-in at a provider is asked for beside the provider. */
  readonly query?: URLSearchParams
}

function signInPage(
  ctx: Pick<Ctx, 'config' | 'access'>,
  { returnTo, problem, query }: SignInPage,
): Promise<Response> {
  const { providers, passkeys, methods } = getSignInConfig(ctx)
  const prefix = ctx.config.pathPrefix
  const back = html`<input type="hidden" name="return_to" value="${returnTo ?? ''}">`
  return formPage(
    'Sign in',
    html`${problem ? html`<p role="alert">${problem}</p>` : ''}
${providers.map(({ name, displayName }) => {
  const parameters = new URLSearchParams(query)
  parameters.set('provider', name)
  return html`<p><a class="button" href="${prefix}/auth/login?${parameters.toString()}">Sign in with ${displayName}</a></p>`
})}
${
  passkeys
    ? html`<form method="post" action="${prefix}/auth/passkey" data-passkey="get" data-question="${prefix}/api/auth/passkey/options" data-method="POST">
<p role="alert"></p>${back}<input type="hidden" name="passkey" value="">
<button>Sign in with a passkey</button>
</form>`
    : ''
}
${methods.includes('password') ? passwordForm(prefix, back) : ''}`,
    { status: problem ? 401 : 200, ...(passkeys ? { script: PASSKEY_SCRIPT } : {}) },
  )
}

function passwordForm(prefix: string, back: ReturnType<typeof html>) {
  return html`<form method="post" action="${prefix}/auth/sign-in">
${back}
<label>Username or e-mail
<input name="usernameOrEmail" required maxlength="254" autocomplete="username webauthn"></label>
<label>Password
<input name="password" type="password" required autocomplete="current-password"></label>
<button>Sign in</button>
</form>`
}
