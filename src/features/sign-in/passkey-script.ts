/**
 * The one script of these pages: a passkey can be asked by nothing else (WebAuthn level 3). A form names
 * where the question comes from and gets the authenticator's answer as its field `passkey`.
 */
export const PASSKEY_SCRIPT = `
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const problem = form.querySelector('[role=alert]')
  form.addEventListener('submit', async (event) => {
    if (form.elements.passkey.value !== '') return
    event.preventDefault()
    problem.textContent = ''
    try {
      const { passkey: kind, question, method, body } = form.dataset
      const sends = method === 'POST'
      const answer = await fetch(question, {
        method,
        headers: { accept: 'application/json', ...(sends && { 'content-type': 'application/json' }) },
        ...(sends && { body: body ?? '{}' }),
      })
      const options = await answer.json()
      if (!answer.ok) throw new Error(options.message)
      const credential = kind === 'create'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
      form.elements.passkey.value = JSON.stringify(credential.toJSON())
      form.submit()
    } catch (error) {
      problem.textContent = error.message || 'The passkey did not answer.'
    }
  })
}
`
