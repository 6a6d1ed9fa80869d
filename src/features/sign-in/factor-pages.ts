import type { Ctx } from '../../context.ts'
import { jsonOf, readForm } from '../../http/body.ts'
import { cookieOf, hostCookie } from '../../http/cookies.ts'
import { defineRawRoute } from '../../http/define-route.ts'
import { alert, html, type Problem, raw } from '../../http/page.ts'
import { requireSameOrigin } from '../../http/same-origin.ts'
import { AppError } from '../../platform/errors.ts'
import type { Language } from '../../platform/language.ts'
import { languageOf } from '../../policy/actor.ts'
import { mfaErrors } from '../mfa/errors.ts'
import { FactorProof } from '../mfa/schema.ts'
import { beginEnrolment, completeSignIn, describeStep } from '../mfa/service.ts'
import { sessionErrors } from '../sessions/errors.ts'
import { land } from '../sessions/service.ts'
import { STEP_COOKIE } from './cookies.ts'
import { formPage } from './form-pages.ts'
import { landed } from './landing-pages.ts'
import { passkeyScript } from './passkey-script.ts'
import { SIGN_IN_TEXTS, type SignInText } from './sign-in-text.ts'

const MAX_FORM_BYTES = 32 * 1024
/** Modules of white around a QR code (ISO/IEC 18004): scanners need them on a dark page. */
const QUIET_ZONE = 4

export const factorRoutes = [
  defineRawRoute({
    method: 'get',
    path: '/auth/second-factor',
    summary: 'The page of the second step',
    permission: 'public',
    rate: 'unlimited',
    refusal: 'page',
    respond: (ctx, actor, { request }) =>
      stepPage(ctx, languageOf(actor), challengeOf(ctx, request)),
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/second-factor',
    summary: 'Complete a sign-in with a code or a passkey',
    permission: 'public',
    rate: 'auth-second-factor',
    operationClass: 'sign-in',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const language = languageOf(actor)
      const form = await readForm(request, MAX_FORM_BYTES)
      requireSameOrigin(ctx.config, request)
      const challenge = challengeOf(ctx, request)
      if (form.action === 'set-up') {
        return setUpPage(language, await beginEnrolment(ctx, actor, challenge))
      }
      const passkey = jsonOf(form.passkey)
      const proof = FactorProof.safeParse({ ...(passkey ? { passkey } : { code: form.code }) })
      if (!proof.success) return stepPage(ctx, language, challenge, mfaErrors.invalidFactor)
      try {
        const done = await completeSignIn(ctx, actor, { ...proof.data, challenge })
        const landing = await land(ctx, actor, done.user, done.proof, done.pending)
        const answer = await landed(ctx, actor, request, landing)
        return done.recoveryCodes.length > 0
          ? codesPage(language, done.recoveryCodes, landing.location, answer.headers.getSetCookie())
          : answer
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== mfaErrors.invalidFactor.code) throw error
        return stepPage(ctx, language, challenge, error)
      }
    },
  }),
]

function challengeOf(ctx: Pick<Ctx, 'config'>, request: Request): string {
  const challenge = cookieOf(request, hostCookie(ctx.config, STEP_COOKIE))
  if (!challenge) throw new AppError(sessionErrors.invalidChallenge)
  return challenge
}

async function stepPage(
  ctx: Pick<Ctx, 'db' | 'clock' | 'keyring' | 'config'>,
  language: Language,
  challenge: string,
  problem?: Problem,
): Promise<Response> {
  const { kind, factors } = await describeStep(ctx, challenge)
  const texts = SIGN_IN_TEXTS[language]
  const status = problem ? 401 : 200
  if (kind === 'enrolment') {
    return formPage(
      texts.setUpFactor,
      html`${alert(problem, language)}<p>${texts.factorNeeded}</p>
<form method="post"><input type="hidden" name="action" value="set-up"><button>${texts.begin}</button></form>`,
      { language, status },
    )
  }
  const hasPasskey = factors.includes('passkey')
  const question = `${ctx.config.pathPrefix}/api/auth/second-factor/options`
  const body = JSON.stringify({ challenge })
  return formPage(
    texts.oneMoreStep,
    html`${alert(problem, language)}
${
  hasPasskey
    ? html`<form method="post" data-passkey="get" data-question="${question}" data-method="POST" data-body="${body}">
<p role="alert"></p><input type="hidden" name="passkey" value="">
<button>${texts.usePasskey}</button>
</form>`
    : ''
}
${codeForm(texts, factors.includes('totp') ? texts.anyCode : texts.recoveryCode)}`,
    { language, status, ...(hasPasskey ? { script: passkeyScript(language) } : {}) },
  )
}

function codeForm(texts: SignInText, label: string) {
  return html`<form method="post">
<label>${label}
<input name="code" required maxlength="40" autocomplete="one-time-code"></label>
<button>${texts.goOn}</button>
</form>`
}

/** The secret for an authenticator app: as a QR code, and as text. */
export async function totpSecret(
  texts: SignInText,
  { secret, uri }: { secret: string; uri: string },
) {
  const { renderSVG } = await import('uqr')
  return html`<p>${texts.scan}</p>
<div role="img" aria-label="${texts.qrCode}">${raw(renderSVG(uri, { border: QUIET_ZONE }))}</div>
<p><a href="${uri}">${texts.openApp}</a></p>
<p><small>${texts.orType} <code>${secret}</code></small></p>`
}

async function setUpPage(
  language: Language,
  made: { secret: string; uri: string },
): Promise<Response> {
  const texts = SIGN_IN_TEXTS[language]
  const shown = await totpSecret(texts, made)
  const form = codeForm(texts, texts.shownCode)
  return formPage(texts.setUpFactor, html`${shown}${form}`, { language })
}

/** The recovery codes, shown only this once, before the user continues. */
export function codesPage(
  language: Language,
  codes: readonly string[],
  location: string,
  cookies: readonly string[] = [],
): Promise<Response> {
  const texts = SIGN_IN_TEXTS[language]
  return formPage(
    texts.keepCodes,
    html`<p>${texts.codesWork}</p>
<ul>${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
<p><a href="${location}">${texts.kept}</a></p>`,
    { language, cookies },
  )
}
