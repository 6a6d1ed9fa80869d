import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Authenticator } from '../harness/authenticator.ts'
import { codeOf } from '../harness/factors.ts'
import { navigate } from '../harness/navigate.ts'
import { assertDone, assertRefused, type Reply } from '../harness/rest.ts'
import { PROVIDER, type Sso, startSso } from '../harness/sso.ts'
import { WebBrowser } from '../harness/web-browser.ts'

const ANNA = { email: 'anna@example.org', email_verified: true, preferred_username: 'anna' }
const MINUTE = 60_000

/** The title of the account page. */
function titleOf(text: string): string | undefined {
  return /<h1>([^<]*)</.exec(text)?.[1]
}

/** Sets up an authenticator app on the account page without script; returns its secret. */
async function setUpByPage(sso: Sso, browser: WebBrowser): Promise<string> {
  const account = `${sso.url}/auth/account`
  const begun = await browser.post(account, { action: 'begin-totp' })
  assert.match(begun.text, /<svg/)
  const secret = /<code>([A-Z2-7]+)<\/code>/.exec(begun.text)?.[1] ?? ''
  const done = await browser.submit(begun, { code: codeOf(sso.mimir, secret) })
  assert.equal(titleOf(done.text), 'Save your recovery codes')
  assert.equal([...done.text.matchAll(/<li><code>/g)].length, 10)
  return secret
}

test('who has a second factor here is asked for it after the provider, on a page', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  const secret = await setUpByPage(sso, browser)

  const again = new WebBrowser()
  const step = await sso.signIn(again, 'anna', '&return_to=/auth/signed-out')
  assert.equal(titleOf(step.text), 'One more step')
  assert.equal(again.cookie(sso.url, 'mimir_session'), undefined)
  const wrong = await again.submit(step, { code: '000000' })
  assert.equal(wrong.status, 401)
  assert.match(wrong.text, /role="alert">The code or passkey is incorrect/)
  sso.mimir.clock.advance(30_000)
  const done = await again.submit(wrong, { code: codeOf(sso.mimir, secret) })
  assert.equal(done.url, `${sso.url}/auth/signed-out`)
  assert.ok(again.cookie(sso.url, 'mimir_session'))
  assert.equal(again.cookie(sso.url, 'mimir_step'), undefined)
})

test('a provider that says it asked for two factors is believed', async () => {
  await using sso = await startSso({ provider: { secondFactorAcr: ['urn:strong'] } })
  sso.idp.people.set('anna', ANNA)
  const first = new WebBrowser()
  await sso.signIn(first, 'anna')
  await setUpByPage(sso, first)
  const titleAfter = async (claims: object) => {
    sso.idp.bend = (token) => {
      token.claims = { ...token.claims, ...claims }
    }
    return titleOf((await sso.signIn(new WebBrowser(), 'anna')).text)
  }
  for (const strong of [
    { amr: ['mfa'] },
    { amr: ['pwd', 'otp'] },
    { amr: ['pin', 'hwk'] },
    { acr: 'urn:strong' },
  ]) {
    assert.equal(await titleAfter(strong), 'You are signed in as anna', JSON.stringify(strong))
  }
  for (const weak of [
    {},
    { amr: ['pwd'] },
    { amr: ['otp'] },
    { amr: ['pwd', 'sms'] },
    { amr: 'pwd' },
    { amr: [['mfa']] },
    { acr: '1' },
  ]) {
    assert.equal(await titleAfter(weak), 'One more step', JSON.stringify(weak))
  }
})

test('a role that needs a second factor sets one up before it is let in', async () => {
  await using sso = await startSso({
    provider: { claimPath: 'groups', roles: { boss: 'admin' } },
    env: { MIMIR_MFA_REQUIRED_ROLES: 'admin' },
  })
  sso.idp.people.set('anna', { ...ANNA, groups: ['boss'] })
  const browser = new WebBrowser()
  const asked = await sso.signIn(browser, 'anna')
  assert.equal(titleOf(asked.text), 'Set up a second factor')
  const shown = await browser.submit(asked)
  const secret = /<code>([A-Z2-7]+)<\/code>/.exec(shown.text)?.[1] ?? ''
  const done = await browser.submit(shown, { code: codeOf(sso.mimir, secret) })
  assert.equal(titleOf(done.text), 'Save your recovery codes')
  const me = await browser.request(`${sso.url}/api/me`)
  assert.equal(JSON.parse(me.text).isAdmin, true)
})

test('an app is called back only after the second step', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  const secret = await setUpByPage(sso, browser)
  const challenge = Buffer.from(
    await crypto.subtle.digest('SHA-256', Buffer.from('v'.repeat(43))),
  ).toString('base64url')
  const again = new WebBrowser()
  const query = `&app_redirect=mimir://signed-in&app_challenge=${challenge}`
  const step = await sso.signIn(again, 'anna', query)
  assert.equal(titleOf(step.text), 'One more step')
  sso.mimir.clock.advance(30_000)
  const done = await again.submit(step, { code: codeOf(sso.mimir, secret) })
  const code = /url=mimir:\/\/signed-in\?code=([\w-]+)/.exec(done.text)?.[1]
  const redeemed = await sso.mimir
    .rest()
    .post('/api/auth/app-code/redeem', { code, codeVerifier: 'v'.repeat(43) })
  // The second factor counts in the app's session too.
  const { accessToken } = assertDone(redeemed)
  assertDone(await sso.mimir.rest(accessToken).post('/api/me/recovery-codes'))
})

test('signing in anew at the provider is a fresh proof where there is no second factor', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  sso.mimir.clock.advance(16 * MINUTE)
  const account = `${sso.url}/auth/account`
  const stale = await browser.post(account, { action: 'begin-totp' })
  assert.match(stale.text, /Confirm your identity again/)
  // The provider's clock keeps up with ours.
  sso.idp.bend = ({ claims }) => {
    for (const name of ['iat', 'exp', 'auth_time']) {
      claims[name] = Number(claims[name]) + (16 * MINUTE) / 1000
    }
  }
  await sso.signIn(browser, 'anna', '&fresh=1')
  const sent = new URL(browser.hops.findLast((url) => url.includes('prompt=login')) ?? '')
  assert.equal(sent.searchParams.get('max_age'), '0')
  const begun = await browser.post(account, { action: 'begin-totp' })
  assert.match(begun.text, /<svg/)
})

test('a provider that does not say when it asked the person has not shown that it was lately', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  let later = 0
  sso.idp.bend = ({ claims }) => {
    delete claims.auth_time
    for (const name of ['iat', 'exp']) claims[name] = Number(claims[name]) + later / 1000
  }
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  // The request asked for auth_time.
  const sent = new URL(browser.hops.findLast((url) => url.includes('code_challenge')) ?? '')
  assert.ok(Number(sent.searchParams.get('max_age')) > 0)
  assert.equal(sent.searchParams.get('prompt'), null)
  const send = (path: string) =>
    browser.request(`${sso.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: sso.url },
      body: '{}',
    })
  const refusedWith = async (path: string, code: string) => {
    const { status, text } = await send(path)
    assert.equal(JSON.parse(text).error, code, `${path} ${status}`)
  }
  await refusedWith('/api/privacy/export', 'factor_needed')
  // Asking the person again would help if the provider then reported it.
  await sso.signIn(browser, 'anna', '&fresh=1')
  await refusedWith('/api/privacy/export', 'factor_needed')
  // A second factor helps: a session can add one while it is new, and show it later.
  sso.mimir.clock.advance(16 * MINUTE)
  await refusedWith('/api/me/totp', 'factor_needed')
  const late = await browser.post(`${sso.url}/auth/account`, { action: 'begin-totp' })
  assert.equal(late.status, 403)
  later = 16 * MINUTE
  // A device linked from an old session is not a new sign-in.
  const linked = await send('/api/auth/link-device')
  const { code: link } = JSON.parse(linked.text)
  const pair = assertDone(
    await sso.mimir.rest().post('/api/auth/link-device/redeem', { code: link }),
  )
  const device = sso.mimir.rest(pair.accessToken)
  assertRefused(await device.post('/api/me/totp'), 403, 'factor_needed')
  await sso.signIn(browser, 'anna')
  const secret = await setUpByPage(sso, browser)
  assert.equal((await send('/api/privacy/export')).status, 202)
  sso.mimir.clock.advance(16 * MINUTE)
  await refusedWith('/api/privacy/export', 'step_up_required')
  const account = `${sso.url}/auth/account`
  const code = codeOf(sso.mimir, secret)
  assert.equal((await browser.post(account, { action: 'step-up', code })).status, 200)
  assert.notEqual(JSON.parse((await send('/api/privacy/export')).text).error, 'step_up_required')
})

test('who has a password shows that, where the provider does not say when it asked', async () => {
  await using sso = await startSso()
  const alice = await sso.mimir.person('alice')
  await sso.mimir.command('subject.link', {
    user: 'alice',
    subject: 'anna',
    issuer: sso.idp.issuer,
  })
  sso.idp.bend = ({ claims }) => {
    delete claims.auth_time
  }
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  const account = `${sso.url}/auth/account`
  const stale = await browser.post(account, { action: 'begin-totp' })
  assert.match(stale.text, /Confirm your identity again/)
  await browser.post(account, { action: 'step-up', password: alice.password })
  assert.match((await browser.post(account, { action: 'begin-totp' })).text, /<svg/)
})

test('two factors of a provider that does not say when let in, and prove nothing fresh', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const first = new WebBrowser()
  await sso.signIn(first, 'anna')
  await setUpByPage(sso, first)
  sso.idp.bend = (token) => {
    const { auth_time: _at, ...claims } = token.claims
    token.claims = { ...claims, amr: ['pwd', 'otp'] }
  }
  const browser = new WebBrowser()
  const { text } = await sso.signIn(browser, 'anna')
  assert.match(titleOf(text) ?? '', /You are signed in/)
  const refused = await browser.post(`${sso.url}/auth/account`, { action: 'remove-totp' })
  assert.match(refused.text, /Confirm your identity again/)
})

test('roles of the role file come from the claims of the sign-in, for as long as the session lasts', async () => {
  const roles = {
    version: '1.0',
    claimPath: 'groups',
    roleMappings: { auditors: { permissions: ['users:read'] } },
  }
  await using sso = await startSso({ env: { MIMIR_RBAC_CONFIG: JSON.stringify(roles) } })
  sso.idp.people.set('anna', { ...ANNA, groups: ['auditors'] })
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  const pending = `${sso.url}/api/admin/users/pending`
  assert.equal((await browser.request(pending)).status, 200)
  const status = JSON.parse((await browser.request(`${sso.url}/auth/status`)).text)
  assert.deepEqual(status.user.roles, ['member', 'auditors'])
  assert.ok(status.expiresAt)
  sso.idp.people.set('anna', { ...ANNA, groups: [] })
  const later = new WebBrowser()
  await sso.signIn(later, 'anna')
  assert.equal((await later.request(pending)).status, 403)
})

test('where signing in with a provider is switched off there is no way to it', async () => {
  await using sso = await startSso({ env: { MIMIR_AUTH_METHODS: 'password' } })
  const rest = sso.mimir.rest()
  assertRefused(await rest.get(`/auth/login?provider=${PROVIDER}`), 404, 'not_found')
  assert.deepEqual(assertDone(await rest.get('/auth/config')).providers, [])
  const { text } = await new WebBrowser().open(`${sso.url}/auth/sign-in`)
  assert.ok(!text.includes('/auth/login'))
})

test('where passwords are switched off neither they nor passkeys open anything', async () => {
  await using sso = await startSso({ env: { MIMIR_AUTH_METHODS: 'oauth' } })
  const { text } = await new WebBrowser().open(`${sso.url}/auth/sign-in`)
  assert.ok(!text.includes('name="password"') && !text.includes('passkey'))
  assert.match(text, /Sign in with/)
  const login = { usernameOrEmail: 'anna', password: 'whatever it is' }
  const reply = await sso.mimir.rest().post('/api/auth/login', login)
  assertRefused(reply, 401, 'method_not_allowed_here')
  const origin = { origin: sso.url, 'content-type': 'application/x-www-form-urlencoded' }
  const page = await sso.mimir
    .rest()
    .with(origin)
    .send('POST', '/auth/sign-in', new URLSearchParams(login).toString())
  assertRefused(page, 401, 'method_not_allowed_here')
})

test('a browser that opens a page without being signed in is led to where it can be, and back', async () => {
  await using sso = await startSso({ env: { MIMIR_DEFAULT_AUTH_METHOD: 'oauth' } })
  sso.idp.people.set('anna', ANNA)
  const browser = new WebBrowser()
  const { status, location } = await navigate(`${sso.url}/auth/account`)
  assert.equal(status, 302)
  const page = await browser.open(new URL(location ?? '', sso.url).href)
  const back = new RegExp(`^${sso.url}/auth/callback`)
  const called = await browser.submit(page, { login: 'anna' }, { until: back })
  const account = await browser.follow(called.url)
  assert.equal(account.url, `${sso.url}/auth/account`)
  // A refused callback is reported and does not redirect in circles.
  assert.equal((await navigate(called.url)).status, 400)
})

test('who has no password has to have signed in lately to take their data out or have it erased', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  const ask = (path: string) =>
    browser.request(`${sso.url}/api/privacy/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: sso.url },
      body: '{}',
    })
  assert.equal((await ask('export')).status, 202)
  sso.mimir.clock.advance(16 * MINUTE)
  for (const path of ['export', 'erasure']) {
    const refused = await ask(path)
    assert.equal(refused.status, 401, refused.text)
    assert.equal(JSON.parse(refused.text).error, 'step_up_required')
  }
})

test('of the ways to sign in, whichever is left last stays', async () => {
  const roles = { visitors: 'guest' }
  await using sso = await startSso({ provider: { claimPath: 'groups', roles } })
  sso.idp.people.set('anna', { ...ANNA, groups: ['visitors'] })
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  const headers = { origin: sso.url, accept: '*/*' }
  const linked = await browser.request(`${sso.url}/api/auth/link-device`, {
    method: 'POST',
    headers,
  })
  const { code } = JSON.parse(linked.text)
  const pair = assertDone(await sso.mimir.rest().post('/api/auth/link-device/redeem', { code }))
  const rest = sso.mimir.rest(pair.accessToken)
  const addPasskey = async () => {
    const options = assertDone(await rest.get('/api/me/passkeys/options'))
    const passkey = new Authenticator(sso.url).create(options)
    return assertDone(await rest.post('/api/me/passkeys', { name: 'a key', passkey }), 201).id
  }
  const [identity] = assertDone(await rest.get('/api/me/identities'))
  const path = `/api/me/identities/${identity.id}`
  assertRefused(await rest.delete(path), 409, 'last_sign_in_method')
  const [first, second] = [await addPasskey(), await addPasskey()]
  assertDone(await rest.delete(path), 204)
  const { role } = await sso.mimir.command('user.show', { user: 'anna' })
  assert.equal(role, 'guest', 'nothing is gained by it')
  const removals = [first, second].map((id) => rest.delete(`/api/me/passkeys/${id}`))
  const [done, refused] = (await Promise.all(removals)).sort((a, b) => a.status - b.status)
  assert.equal(done?.status, 204)
  assertRefused(refused as Reply, 409, 'last_sign_in_method')
})
