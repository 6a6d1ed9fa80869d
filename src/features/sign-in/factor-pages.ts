import type { Ctx } from '../../context.ts'
import { jsonOf, readForm } from '../../http/body.ts'
import { cookieOf, hostCookie } from '../../http/cookies.ts'
import { defineRawRoute } from '../../http/define-route.ts'
import { html, raw } from '../../http/page.ts'
import { requireSameOrigin } from '../../http/same-origin.ts'
import { AppError } from '../../platform/errors.ts'
import { mfaErrors } from '../mfa/errors.ts'
import { FactorProof } from '../mfa/schema.ts'
import { beginEnrolment, completeSignIn, describeStep } from '../mfa/service.ts'
import { sessionErrors } from '../sessions/errors.ts'
import { land } from '../sessions/service.ts'
import { STEP_COOKIE } from './cookies.ts'
import { formPage } from './form-pages.ts'
import { landed } from './landing-pages.ts'
import { PASSKEY_SCRIPT } from './passkey-script.ts'

const MAX_FORM_BYTES = 32 * 1024

export const factorRoutes = [
  defineRawRoute({
    method: 'get',
    path: '/auth/second-factor',
    summary: 'The page of the second step',
    permission: 'public',
    rate: 'unlimited',
    refusal: 'page',
    respond: (ctx, _actor, { request }) => stepPage(ctx, challengeOf(ctx, request)),
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/second-factor',
    summary: 'Ends a sign-in with a code or a passkey',
    permission: 'public',
    rate: 'auth-second-factor',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const form = await readForm(request, MAX_FORM_BYTES)
      requireSameOrigin(ctx.config, request)
      const challenge = challengeOf(ctx, request)
      if (form.action === 'set-up') {
        return setUpPage(await beginEnrolment(ctx, actor, challenge))
      }
      const passkey = jsonOf(form.passkey)
      const proof = FactorProof.safeParse({ ...(passkey ? { passkey } : { code: form.code }) })
      if (!proof.success) return stepPage(ctx, challenge, mfaErrors.invalidFactor.message)
      try {
        const done = await completeSignIn(ctx, actor, { ...proof.data, challenge })
        const landing = await land(ctx, actor, done.user, done.proof, done.pending)
        const answer = await landed(ctx, request, landing)
        return done.recoveryCodes.length > 0
          ? codesPage(done.recoveryCodes, landing.location, answer.headers.getSetCookie())
          : answer
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== mfaErrors.invalidFactor.code) throw error
        return stepPage(ctx, challenge, error.message)
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
  challenge: string,
  problem?: string,
): Promise<Response> {
  const { kind, factors } = await describeStep(ctx, challenge)
  const status = problem ? 401 : 200
  const alert = problem ? html`<p role="alert">${problem}</p>` : ''
  if (kind === 'enrolment') {
    return formPage(
      'Set up a second factor',
      html`${alert}<p>Your role needs a second factor. You need an authenticator app on your telephone.</p>
<form method="post"><input type="hidden" name="action" value="set-up"><button>Begin</button></form>`,
      { status },
    )
  }
  const hasPasskey = factors.includes('passkey')
  const question = `${ctx.config.pathPrefix}/api/auth/second-factor/options`
  const body = JSON.stringify({ challenge })
  return formPage(
    'One more step',
    html`${alert}
${
  hasPasskey
    ? html`<form method="post" data-passkey="get" data-question="${question}" data-method="POST" data-body="${body}">
<p role="alert"></p><input type="hidden" name="passkey" value="">
<button>Use a passkey</button>
</form>`
    : ''
}
${codeForm(factors.includes('totp') ? 'Code of your authenticator app, or a recovery code' : 'Recovery code')}`,
    { status, ...(hasPasskey ? { script: PASSKEY_SCRIPT } : {}) },
  )
}

function codeForm(label: string) {
  return html`<form method="post">
<label>${label}
<input name="code" required maxlength="40" autocomplete="one-time-code"></label>
<button>Go on</button>
</form>`
}

/** How an authenticator app gets its secret: by camera, or typed. */
export async function totpSecret({ secret, uri }: { secret: string; uri: string }) {
  const { renderSVG } = await import('uqr')
  return html`<p>Scan this with your authenticator app:</p>
${raw(renderSVG(uri))}
<p><small>or type <code>${secret}</code></small></p>`
}

async function setUpPage(made: { secret: string; uri: string }): Promise<Response> {
  const shown = await totpSecret(made)
  return formPage('Set up a second factor', html`${shown}${codeForm('The code that it shows now')}`)
}

/** The recovery codes, shown this once, before the person goes on. */
export function codesPage(
  codes: readonly string[],
  location: string,
  cookies: readonly string[] = [],
): Promise<Response> {
  return formPage(
    'Keep your recovery codes',
    html`<p>Each works once, instead of your second factor. They are not shown again: write them down.</p>
<ul>${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
<p><a href="${location}">I have kept them: go on</a></p>`,
    { cookies },
  )
}
