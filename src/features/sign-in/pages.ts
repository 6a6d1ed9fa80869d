import type { Ctx } from '../../context.ts'
import { jsonOf, readForm } from '../../http/body.ts'
import { clearCookie, cookieOf, SESSION_COOKIE } from '../../http/cookies.ts'
import { defineRawRoute } from '../../http/define-route.ts'
import { alert, html, movingOn, type Problem } from '../../http/page.ts'
import { wantsPage } from '../../http/refusal-page.ts'
import { requireSameOrigin } from '../../http/same-origin.ts'
import { AppError } from '../../platform/errors.ts'
import type { Language } from '../../platform/language.ts'
import { languageOf } from '../../policy/actor.ts'
import { PasskeySignIn } from '../mfa/schema.ts'
import { completePasskeySignIn } from '../mfa/service.ts'
import { ReturnTo } from '../oidc/schema.ts'
import { getSignInConfig, signOut } from '../oidc/service.ts'
import { Login } from '../sessions/schema.ts'
import { checkPassword, findBrowserUser, land, requireComplete } from '../sessions/service.ts'
import { accountRoutes } from './account-pages.ts'
import { factorRoutes } from './factor-pages.ts'
import { formPage } from './form-pages.ts'
import { landed, toSecondStep } from './landing-pages.ts'
import { passkeyScript } from './passkey-script.ts'
import { providerRoutes } from './provider-pages.ts'
import { SIGN_IN_TEXTS, type SignInText } from './sign-in-text.ts'

const MAX_FORM_BYTES = 32 * 1024

const signInRoutes = [
  defineRawRoute({
    method: 'get',
    path: '/auth/sign-in',
    summary: 'The sign-in page',
    permission: 'public',
    rate: 'unlimited',
    refusal: 'page',
    respond: (ctx, actor, { request }) => {
      const query = new URL(request.url).searchParams
      return signInPage(ctx, languageOf(actor), {
        returnTo: query.get('return_to') ?? undefined,
        query,
      })
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/sign-in',
    summary: 'Sign a browser in with a password',
    permission: 'public',
    rate: 'auth-login',
    operationClass: 'sign-in',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const language = languageOf(actor)
      const form = await readForm(request, MAX_FORM_BYTES)
      requireSameOrigin(ctx.config, request)
      const returnTo = ReturnTo.safeParse(form.return_to).data
      const login = Login.safeParse(form)
      if (!login.success) {
        const problem = SIGN_IN_TEXTS[language].nothingGiven
        return signInPage(ctx, language, { returnTo, problem, name: form.usernameOrEmail })
      }
      try {
        const user = await checkPassword(ctx, actor, login.data)
        const signIn = { methods: ['pwd'], authenticatedAt: ctx.clock.now(), returnTo }
        await requireComplete(ctx, user, signIn)
        return await landed(ctx, actor, request, await land(ctx, actor, user, signIn, signIn))
      } catch (error) {
        const name = login.data.usernameOrEmail
        if (isWrong(error)) return signInPage(ctx, language, { returnTo, problem: error, name })
        return toSecondStep(ctx.config, actor, error)
      }
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/passkey',
    summary: 'Sign a browser in with a passkey',
    permission: 'public',
    rate: 'auth-second-factor',
    operationClass: 'sign-in',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const language = languageOf(actor)
      const form = await readForm(request, MAX_FORM_BYTES)
      requireSameOrigin(ctx.config, request)
      const returnTo = ReturnTo.safeParse(form.return_to).data
      const passkey = PasskeySignIn.safeParse({ passkey: jsonOf(form.passkey) })
      if (!passkey.success) {
        const problem = SIGN_IN_TEXTS[language].noPasskey
        return signInPage(ctx, language, { returnTo, problem })
      }
      try {
        const { user, proof } = await completePasskeySignIn(ctx, actor, passkey.data)
        return await landed(ctx, actor, request, await land(ctx, actor, user, proof, { returnTo }))
      } catch (error) {
        if (isWrong(error)) return signInPage(ctx, language, { returnTo, problem: error })
        throw error
      }
    },
  }),
  defineRawRoute({
    method: 'get',
    path: '/auth/logout',
    summary: 'Ask whether to sign the browser out',
    permission: 'public',
    rate: 'unlimited',
    refusal: 'page',
    respond: (_ctx, actor) => {
      const language = languageOf(actor)
      const { signOut } = SIGN_IN_TEXTS[language]
      const form = html`<form method="post"><button>${signOut}</button></form>`
      return formPage(signOut, form, { language })
    },
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/logout',
    summary: 'Sign the browser out here, and then at its provider',
    permission: 'public',
    rate: 'unlimited',
    operationClass: 'sign-in',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      await readForm(request, MAX_FORM_BYTES)
      requireSameOrigin(ctx.config, request)
      const token = cookieOf(request, SESSION_COOKIE)
      const user = token ? await findBrowserUser(ctx, token, actor.origin) : undefined
      const elsewhere = user ? await signOut(ctx, user) : undefined
      const location = elsewhere?.href ?? `${ctx.config.pathPrefix}/auth/signed-out`
      const cookie = clearCookie(ctx.config, SESSION_COOKIE)
      if (wantsPage(request)) return movingOn(languageOf(actor), location, [cookie])
      const answer = { endSessionUrl: elsewhere?.href ?? null }
      return Response.json(answer, { headers: { 'set-cookie': cookie } })
    },
  }),
]

export const routes = [...signInRoutes, ...providerRoutes, ...factorRoutes, ...accountRoutes]

/** Whether the user may try again on the same page. */
function isWrong(error: unknown): error is AppError {
  const codes = ['invalid_credentials', 'invalid_second_factor', 'account_not_active']
  return error instanceof AppError && codes.includes(error.code)
}

interface SignInPage {
  readonly returnTo?: string | undefined
  readonly problem?: Problem
  /** The username or e-mail that was entered. */
  readonly name?: string | undefined
  /** Further parameters for a sign-in at a provider. */
  readonly query?: URLSearchParams
}

function signInPage(
  ctx: Pick<Ctx, 'config' | 'access' | 'mailer'>,
  language: Language,
  { returnTo, problem, name, query }: SignInPage,
): Promise<Response> {
  const texts = SIGN_IN_TEXTS[language]
  const { providers, passkeys, methods } = getSignInConfig(ctx)
  const prefix = ctx.config.pathPrefix
  const back = html`<input type="hidden" name="return_to" value="${returnTo ?? ''}">`
  return formPage(
    texts.signIn,
    html`${alert(problem, language)}
${providers.map(({ name, displayName }) => {
  const parameters = new URLSearchParams(query)
  parameters.set('provider', name)
  if (returnTo !== undefined) parameters.set('return_to', returnTo)
  return html`<p><a class="button" href="${prefix}/auth/login?${parameters.toString()}">${texts.signInWith(displayName)}</a></p>`
})}
${
  passkeys
    ? html`<form method="post" action="${prefix}/auth/passkey" data-passkey="get" data-question="${prefix}/api/auth/passkey/options" data-method="POST">
<p role="alert"></p>${back}<input type="hidden" name="passkey" value="">
<button>${texts.signInWithPasskey}</button>
</form>`
    : ''
}
${methods.includes('password') ? passwordForm(texts, prefix, back, name) : ''}
${
  methods.includes('password') && ctx.mailer
    ? html`<p><a href="${prefix}/forgot-password">${texts.forgotPassword}</a></p>`
    : ''
}`,
    {
      language,
      status: problem ? 401 : 200,
      ...(passkeys ? { script: passkeyScript(language) } : {}),
    },
  )
}

function passwordForm(texts: SignInText, prefix: string, back: ReturnType<typeof html>, name = '') {
  return html`<form method="post" action="${prefix}/auth/sign-in">
${back}
<label>${texts.usernameOrEmail}
<input name="usernameOrEmail" required maxlength="254" autocomplete="username webauthn" autocapitalize="none" spellcheck="false" value="${name}"></label>
<label>${texts.password}
<input name="password" type="password" required autocomplete="current-password"></label>
<button>${texts.signIn}</button>
</form>`
}
