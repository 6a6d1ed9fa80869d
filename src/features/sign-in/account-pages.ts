import type { Ctx } from '../../context.ts'
import { jsonOf, readForm } from '../../http/body.ts'
import { defineRawRoute } from '../../http/define-route.ts'
import { alert, html, movingOn, type Problem } from '../../http/page.ts'
import { AppError, commonErrors } from '../../platform/errors.ts'
import { languageOf, requireUser, type UserActor } from '../../policy/actor.ts'
import { AddPasskey, ConfirmTotp, StepUp } from '../mfa/schema.ts'
import {
  addPasskey,
  beginTotp,
  finishTotp,
  getFactors,
  removePasskey,
  removeTotp,
  requireFreshProof,
  stepUp,
} from '../mfa/service.ts'
import { getIdentities, getSignInConfig } from '../oidc/service.ts'
import { codesPage, totpSecret } from './factor-pages.ts'
import { formPage } from './form-pages.ts'
import { passkeyScript } from './passkey-script.ts'
import { SIGN_IN_TEXTS, type SignInText } from './sign-in-text.ts'

const MAX_FORM_BYTES = 64 * 1024
/** Errors after which the page offers another try; all others are answered as usual. */
const AGAIN = ['invalid_second_factor', 'invalid_passkey', 'step_up_required', 'proof_missing']

export const accountRoutes = [
  defineRawRoute({
    method: 'get',
    path: '/auth/account',
    summary: 'The page of your ways to sign in',
    permission: 'signed-in',
    rate: 'unlimited',
    refusal: 'page',
    respond: (ctx, actor) => accountPage(ctx, requireUser(actor)),
  }),
  defineRawRoute({
    method: 'post',
    path: '/auth/account',
    summary: 'Change your second factors with the forms of the page',
    permission: 'signed-in',
    rate: 'auth-second-factor',
    refusal: 'page',
    respond: async (ctx, actor, { request }) => {
      const user = requireUser(actor)
      const form = await readForm(request, MAX_FORM_BYTES)
      try {
        return await act(ctx, user, form)
      } catch (error) {
        if (!(error instanceof AppError) || !AGAIN.includes(error.code)) throw error
        return accountPage(ctx, user, {
          problem: error,
          asksProof: error.code !== 'invalid_passkey',
        })
      }
    },
  }),
]

async function act(
  ctx: Ctx,
  user: UserActor,
  form: Readonly<Record<string, string>>,
): Promise<Response> {
  const language = languageOf(user)
  const texts = SIGN_IN_TEXTS[language]
  const here = `${ctx.config.pathPrefix}/auth/account`
  switch (form.action) {
    case 'step-up': {
      const { code, password } = form
      await stepUp(ctx, user, StepUp.safeParse(code ? { code } : { password }).data ?? {})
      return movingOn(language, here)
    }
    case 'begin-totp': {
      await requireFreshProof(ctx, user, 'signed-in', true)
      const shown = await totpSecret(texts, await beginTotp(ctx, user))
      return formPage(
        texts.setUpAuthenticator,
        html`${shown}<form method="post"><input type="hidden" name="action" value="confirm-totp">
<label>${texts.shownCode}
<input name="code" required pattern="[0-9]{6}" autocomplete="one-time-code"></label>
<button>${texts.confirm}</button></form>`,
        { language },
      )
    }
    case 'confirm-totp': {
      const input = required(ConfirmTotp.safeParse(form))
      const { recoveryCodes } = await finishTotp(ctx, user, input)
      return recoveryCodes.length > 0
        ? codesPage(language, recoveryCodes, here)
        : movingOn(language, here)
    }
    case 'remove-totp':
      await requireFreshProof(ctx, user)
      await removeTotp(ctx, user)
      return movingOn(language, here)
    case 'add-passkey': {
      await requireFreshProof(ctx, user, 'signed-in', true)
      const input = required(AddPasskey.safeParse({ ...form, passkey: jsonOf(form.passkey) }))
      const { recoveryCodes } = await addPasskey(ctx, user, input)
      return recoveryCodes.length > 0
        ? codesPage(language, recoveryCodes, here)
        : movingOn(language, here)
    }
    case 'remove-passkey':
      await requireFreshProof(ctx, user)
      await removePasskey(ctx, user, { id: form.id ?? '' })
      return movingOn(language, here)
    default:
      throw new AppError(commonErrors.validationFailed, { fields: { action: 'is unknown' } })
  }
}

function required<T>(parsed: { success: boolean; data?: T }): T {
  if (parsed.data === undefined) throw new AppError(commonErrors.validationFailed)
  return parsed.data
}

async function accountPage(
  ctx: Ctx,
  user: UserActor,
  { problem, asksProof = false }: { problem?: Problem; asksProof?: boolean } = {},
): Promise<Response> {
  const language = languageOf(user)
  const texts = SIGN_IN_TEXTS[language]
  const [factors, identities] = await Promise.all([getFactors(ctx, user), getIdentities(ctx, user)])
  const { providers } = getSignInConfig(ctx)
  const prefix = ctx.config.pathPrefix
  const hasFactor = factors.totp || factors.passkeys.length > 0
  return formPage(
    texts.signedInAs(user.username),
    html`${alert(problem, language)}
${asksProof ? proofForm(texts, hasFactor) : ''}
<h2>${texts.passkeys}</h2>
<ul>${factors.passkeys.map(
      ({ id, name }) => html`<li>${name}
<form method="post"><input type="hidden" name="action" value="remove-passkey"><input type="hidden" name="id" value="${id}"><button>${texts.remove}</button></form></li>`,
    )}</ul>
${
  factors.methods.includes('passkey')
    ? html`<form method="post" data-passkey="create" data-question="${prefix}/api/me/passkeys/options" data-method="GET">
<p role="alert"></p>
<input type="hidden" name="action" value="add-passkey"><input type="hidden" name="passkey" value="">
<label>${texts.passkeyName}<input name="name" required maxlength="80" value="${texts.aPasskey}"></label>
<button>${texts.addPasskey}</button></form>`
    : ''
}
<h2>${texts.authenticator}</h2>
${
  factors.totp
    ? html`<form method="post"><input type="hidden" name="action" value="remove-totp"><button>${texts.remove}</button></form>`
    : html`<form method="post"><input type="hidden" name="action" value="begin-totp"><button>${texts.setUp}</button></form>`
}
<p><small>${texts.codesLeft(factors.recoveryCodesLeft)}</small></p>
<h2>${texts.elsewhere}</h2>
<ul>${identities.map(({ provider }) => html`<li>${provider}</li>`)}</ul>
${providers.map(
  ({ name, displayName }) => html`<form method="post" action="${prefix}/auth/link">
<input type="hidden" name="provider" value="${name}"><button>${texts.connect(displayName)}</button></form>`,
)}
<p><a href="${prefix}/oauth/clients">${texts.clients}</a></p>
<form method="post" action="${prefix}/auth/logout"><button>${texts.signOut}</button></form>`,
    { language, status: problem ? 400 : 200, script: passkeyScript(language) },
  )
}

/** Asks for what the account has: a code, or the password if there is no second factor. */
function proofForm(texts: SignInText, hasFactor: boolean) {
  const field = hasFactor
    ? html`<label>${texts.anyCode}<input name="code" required maxlength="40" autocomplete="one-time-code"></label>`
    : html`<label>${texts.password}<input name="password" type="password" required autocomplete="current-password"></label>`
  return html`<form method="post"><input type="hidden" name="action" value="step-up">${field}
<button>${texts.showYourself}</button></form>`
}
