import { commonErrors } from '../../platform/errors.ts'
import type { Language } from '../../platform/language.ts'
import { accessErrors } from '../../policy/errors.ts'
import { mfaErrors } from '../mfa/errors.ts'
import { sessionErrors } from '../sessions/errors.ts'
import { SIGN_IN_TEXTS } from './sign-in-text.ts'

/** Errors of a request for a passkey challenge, which programs get in English. */
const REFUSALS = [
  commonErrors.rateLimited,
  commonErrors.unauthorized,
  accessErrors.unauthenticated,
  mfaErrors.factorNeeded,
  mfaErrors.methodNotOffered,
  mfaErrors.stepUpRequired,
  mfaErrors.tooManyPasskeys,
  sessionErrors.invalidChallenge,
]

/**
 * The only script of these pages: passkeys need one (WebAuthn level 3). A form names where the challenge
 * comes from and gets the authenticator's answer as its field `passkey`.
 */
export function passkeyScript(language: Language): string {
  const { passkeySilent: silent, passkeyThere: there } = SIGN_IN_TEXTS[language]
  const refusals =
    language === 'en'
      ? {}
      : Object.fromEntries(REFUSALS.map(({ code, translated }) => [code, translated[language]]))
  return `const texts = ${JSON.stringify({ silent, there, refusals })}${SCRIPT}`
}

const SCRIPT = `
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const problem = form.querySelector('[role=alert]')
  form.addEventListener('submit', async (event) => {
    if (form.elements.passkey.value !== '') return
    event.preventDefault()
    problem.textContent = ''
    let told = texts.silent
    try {
      const { passkey: kind, question, method, body } = form.dataset
      const sends = method === 'POST'
      const answer = await fetch(question, {
        method,
        headers: { accept: 'application/json', ...(sends && { 'content-type': 'application/json' }) },
        ...(sends && { body: body ?? '{}' }),
      })
      const options = await answer.json()
      if (!answer.ok) {
        told = texts.refusals[options.error] ?? options.message
        throw new Error(told)
      }
      const credential = kind === 'create'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
      form.elements.passkey.value = JSON.stringify(credential.toJSON())
      form.submit()
    } catch (error) {
      problem.textContent = error.name === 'InvalidStateError' ? texts.there : told
    }
  })
}
`
