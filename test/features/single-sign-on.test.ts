import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { PROVIDER, type Sso, startSso } from '../harness/sso.ts'
import { WebBrowser } from '../harness/web-browser.ts'

const ANNA = { email: 'anna@example.org', email_verified: true, preferred_username: 'anna' }
const MINUTE = 60_000

/** The account of a browser's session, or the status of the refusal. */
async function whoIs(sso: Sso, browser: WebBrowser) {
  const { status, text } = await browser.request(`${sso.url}/api/me`)
  return status === 200 ? JSON.parse(text) : status
}

test('the probes of the seed: HEAD and GET lead to the provider, the callback answers 200 with a cookie that opens', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  for (const method of ['HEAD', 'GET']) {
    const answer = await fetch(`${sso.url}/auth/login`, { method, redirect: 'manual' })
    assert.equal(answer.status, 302)
    const to = new URL(answer.headers.get('location') ?? '')
    assert.equal(to.origin, new URL(sso.idp.issuer).origin)
    const { response_type, code_challenge_method, redirect_uri, scope } = Object.fromEntries(
      to.searchParams,
    )
    assert.equal(response_type, 'code')
    assert.equal(code_challenge_method, 'S256')
    assert.equal(redirect_uri, `${sso.url}/auth/callback`)
    assert.match(scope ?? '', /\bopenid\b/)
    for (const name of ['state', 'nonce', 'code_challenge']) {
      assert.match(to.searchParams.get(name) ?? '', /^[\w-]{43,}$/, name)
    }
    // A HEAD sets no cookie, so no flow is begun.
    assert.equal(answer.headers.getSetCookie().length, method === 'GET' ? 1 : 0)
  }
  const browser = new WebBrowser()
  const callback = await sso.toCallback(browser, 'anna')
  const page = await browser.request(callback, { headers: { accept: '*/*' } })
  assert.equal(page.status, 200, page.text)
  assert.equal(page.headers.get('cache-control'), 'no-store')
  const [cookie = ''] = page.headers.getSetCookie().filter((line) => /^mimir_session=/.test(line))
  assert.match(cookie, /^mimir_session=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/)
  assert.equal((await whoIs(sso, browser)).username, 'anna')
  const nodes = await browser.request(`${sso.url}/api/nodes/query`)
  assert.deepEqual([nodes.status, JSON.parse(nodes.text).results], [200, []])
})

test('the callback leads a person on to a path of this server', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const browser = new WebBrowser()
  const page = await sso.signIn(browser, 'anna', '&return_to=/auth/signed-out%3Fa=1')
  assert.equal(page.url, `${sso.url}/auth/signed-out?a=1`)
})

test('who comes back has the same account, whatever their address is by now; others have their own', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const first = new WebBrowser()
  await sso.signIn(first, 'anna')
  const { id } = await whoIs(sso, first)
  sso.idp.people.set('anna', { ...ANNA, email: 'married@elsewhere.org' })
  const second = new WebBrowser()
  await sso.signIn(second, 'anna')
  assert.equal((await whoIs(sso, second)).id, id)
  sso.idp.people.set('another', { ...ANNA })
  const third = new WebBrowser()
  await sso.signIn(third, 'another')
  const another = await whoIs(sso, third)
  assert.notEqual(another.id, id)
  assert.notEqual(another.username, 'anna')
  // The address stays with the first account and links nobody to it.
  assert.equal(another.email, '')
})

test('a session of a browser is one of the signed-in devices, and goes with the account', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  const { text } = await browser.request(`${sso.url}/api/me/sessions`)
  const [session] = JSON.parse(text)
  assert.equal(session.current, true)
  await sso.mimir.command('user.suspend', { user: 'anna' })
  assert.equal(await whoIs(sso, browser), 401)
  await assertNotAdmitted(sso, 'anna')
})

async function assertNotAdmitted(sso: Sso, login: string, query = ''): Promise<void> {
  const browser = new WebBrowser()
  const callback = await sso.toCallback(browser, login, query)
  const { status, text } = await browser.request(callback, { headers: { accept: '*/*' } })
  const body = JSON.parse(text)
  assert.equal(status, 403, text)
  assert.equal(body.error, 'not_admitted')
  assert.equal(body.message, 'You cannot sign in here. To join, open an invitation link first.')
}

test('nobody is let in without an invitation or a rule, and one text answers all of them', async () => {
  await using sso = await startSso()
  const { people } = sso.idp
  people.set('stranger', { email: 'eve@elsewhere.org', email_verified: true })
  people.set('unverified', { email: 'eve@example.org', email_verified: false })
  people.set('look-alike', { email: 'eve@example.org.elsewhere.org', email_verified: true })
  people.set('nameless', {})
  for (const login of people.keys()) await assertNotAdmitted(sso, login)
  const { entries } = await sso.mimir.command('user.list').then((list) => ({ entries: list }))
  assert.deepEqual(entries, [])
})

test('an invitation lets somebody register who then waits for approval, once', async () => {
  await using sso = await startSso()
  const { people } = sso.idp
  people.set('berta', { email: 'berta@elsewhere.org', email_verified: true, name: 'Berta B.' })
  people.set('eve', { email: 'eve@elsewhere.org', email_verified: true })
  const { token } = await sso.mimir.command('invite.create')
  const browser = new WebBrowser()
  const callback = await sso.toCallback(browser, 'berta', `&invitation=${token}`)
  const waits = await browser.request(callback, { headers: { accept: '*/*' } })
  assert.equal(waits.status, 403)
  const body = JSON.parse(waits.text)
  assert.deepEqual([body.error, body.status], ['account_not_active', 'PendingAdmin'])
  assert.equal(browser.cookie(sso.url, 'mimir_session'), undefined)
  const used = await fetch(`${sso.url}/auth/login?provider=${PROVIDER}&invitation=${token}`)
  assert.equal((await used.json()).error, 'invalid_or_expired_invitation')
  await assertNotAdmitted(sso, 'eve')
  await sso.mimir.command('user.approve', { user: 'berta' })
  await sso.signIn(browser, 'berta')
  assert.equal((await whoIs(sso, browser)).username, 'berta')
})

test('a rule may say that its people wait for approval', async () => {
  await using sso = await startSso({
    provider: { admit: [{ domain: 'example.org', admit: 'pending' }] },
  })
  sso.idp.people.set('anna', ANNA)
  const browser = new WebBrowser()
  const page = await sso.signIn(browser, 'anna')
  assert.equal(page.status, 403)
  assert.match(page.text, /administrator has to approve you/)
  await sso.mimir.command('user.approve', { user: 'anna' })
  await sso.signIn(browser, 'anna')
  assert.equal((await whoIs(sso, browser)).username, 'anna')
})

test('somebody who cancels at the provider is told so', async () => {
  await using sso = await startSso()
  const browser = new WebBrowser()
  const callback = await sso.toCallback(browser, 'cancel')
  const { status, text } = await browser.request(callback, { headers: { accept: '*/*' } })
  assert.deepEqual([status, JSON.parse(text).error], [403, 'access_denied'])
})

test('sign-ins are counted by their provider, and those that were cancelled are no failures', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  await sso.signIn(new WebBrowser(), 'anna')
  await sso.signIn(new WebBrowser(), 'cancel')
  await sso.mimir.rest().post('/api/auth/login', { usernameOrEmail: 'anna', password: 'wrong' })
  await sso.mimir.app.jobs.runNow('chain-audit-events')
  assert.deepEqual([...sso.mimir.app.ctx.metrics.logins.entries()].sort(), [
    ['local|failure', 1],
    [`${PROVIDER}|cancelled`, 1],
    [`${PROVIDER}|success`, 1],
  ])
})

test('a claim gives a role and takes back what it gave, and nothing else', async () => {
  const roles = { 'chat-admins': 'admin', visitors: 'guest' }
  await using sso = await startSso({ provider: { claimPath: 'groups', roles } })
  const { people } = sso.idp
  const roleOf = async (login: string, groups: unknown) => {
    people.set(login, { ...ANNA, email: `${login}@example.org`, preferred_username: login, groups })
    await sso.signIn(new WebBrowser(), login)
    return (await sso.mimir.command('user.show', { user: login })).role
  }
  await sso.mimir.admin('root')
  assert.equal(await roleOf('anna', ['staff', 'visitors', 'chat-admins']), 'admin')
  assert.equal(await roleOf('anna', ['staff']), 'member')
  assert.equal(await roleOf('anna', 'chat-admins'), 'admin')
  assert.equal(await roleOf('anna', undefined), 'member')
  // Values other than strings name no role.
  assert.equal(await roleOf('anna', [{ name: 'chat-admins' }, 7, true]), 'member')
  assert.equal(await roleOf('bert', ['visitors']), 'guest')
  // A claim that is missing grants nothing, not even what a member may do.
  assert.equal(await roleOf('bert', undefined), 'guest')
  assert.equal(await roleOf('bert', ['staff']), 'member')
  await sso.mimir.command('user.set-role', { user: 'anna', role: 'admin' })
  assert.equal(await roleOf('anna', []), 'admin')
})

test('an identity that is disconnected takes with it the role that its claims gave', async () => {
  await using sso = await startSso({ provider: { claimPath: 'groups', roles: { boss: 'admin' } } })
  const { mimir, idp } = sso
  idp.people.set('anna', { ...ANNA, groups: ['boss'] })
  const alice = await mimir.person('alice')
  await mimir.command('subject.link', { subject: 'anna', user: 'alice', issuer: idp.issuer })
  const disconnect = async () => {
    await sso.signIn(new WebBrowser(), 'anna')
    assert.equal((await mimir.command('user.show', { user: 'alice' })).role, 'admin')
    const { accessToken } = await alice.signIn()
    const rest = mimir.rest(accessToken)
    const [identity] = assertDone(await rest.get('/api/me/identities'))
    assertDone(await rest.delete(`/api/me/identities/${identity.id}`), 204)
    return (await mimir.command('user.show', { user: 'alice' })).role
  }
  assert.equal(await disconnect(), 'admin', 'nobody else could administer the server')
  await mimir.command('user.set-role', { user: 'alice', role: 'admin' })
  await mimir.admin('root')
  assert.equal(await disconnect(), 'admin', 'an administrator gave it')
  await mimir.command('user.set-role', { user: 'alice', role: 'member' })
  assert.equal(await disconnect(), 'member')
})

test('the last administrator stays one, whatever the claims say', async () => {
  await using sso = await startSso({ provider: { claimPath: 'groups', roles: { boss: 'admin' } } })
  sso.idp.people.set('anna', { ...ANNA, groups: ['boss'] })
  await sso.signIn(new WebBrowser(), 'anna')
  sso.idp.people.set('anna', { ...ANNA, groups: [] })
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  assert.equal((await whoIs(sso, browser)).isAdmin, true)
})

test('a signed-in person connects an identity, which then opens their account', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', { email: 'anna@elsewhere.org', email_verified: true })
  const alice = await sso.mimir.person('alice')
  const browser = new WebBrowser()
  const form = await browser.open(`${sso.url}/auth/sign-in`)
  const fields = { usernameOrEmail: 'alice', password: alice.password }
  const account = await browser.submit(form, fields, { form: 1 })
  assert.match(account.text, /signed in as alice/)
  const atProvider = await browser.post(`${sso.url}/auth/link`, { provider: PROVIDER }, account.url)
  const linked = await browser.submit(atProvider, { login: 'anna' })
  assert.match(linked.text, /<li>work\n/)
  const elsewhere = new WebBrowser()
  await sso.signIn(elsewhere, 'anna')
  assert.equal((await whoIs(sso, elsewhere)).id, alice.id)

  const [identity] = assertDone(await alice.rest.get('/api/me/identities'))
  assert.equal(identity.provider, PROVIDER)
  const { id } = identity
  const gone = await browser.post(linked.url, { action: 'disconnect-identity', id })
  assert.equal(gone.status, 200, gone.text)
  assert.deepEqual(assertDone(await alice.rest.get('/api/me/identities')), [])
  await assertNotAdmitted(sso, 'anna')
})

test('whom the operator linked to a subject signs in to that account', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', { email: 'anna@elsewhere.org', email_verified: true })
  const alice = await sso.mimir.person('alice')
  const link = { subject: 'anna', user: 'alice', issuer: sso.idp.issuer }
  await sso.mimir.command('subject.link', link)
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  assert.equal((await whoIs(sso, browser)).id, alice.id)
})

test('who signs in with a provider may also call with its access tokens for our audience', async () => {
  await using sso = await startSso({ provider: { audience: 'mimir-api' } })
  sso.idp.people.set('anna', ANNA)
  const now = Math.floor(Date.now() / 1000)
  const token = await sso.idp.sign(
    { iss: sso.idp.issuer, sub: 'anna', aud: 'mimir-api', iat: now, exp: now + 60, jti: 'x' },
    { typ: 'at+jwt' },
  )
  const rest = sso.mimir.rest(token)
  assert.equal((await rest.get('/api/me')).status, 403)
  await sso.signIn(new WebBrowser(), 'anna')
  assert.equal(assertDone(await rest.get('/api/me')).username, 'anna')
})

test('an identity belongs to one account, and the last way in cannot be taken away', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const anna = new WebBrowser()
  await sso.signIn(anna, 'anna')
  const alice = await sso.mimir.person('alice')
  const browser = new WebBrowser()
  const form = await browser.open(`${sso.url}/auth/sign-in`)
  await browser.submit(form, { usernameOrEmail: 'alice', password: alice.password }, { form: 1 })
  const atProvider = await browser.post(`${sso.url}/auth/link`, { provider: PROVIDER })
  const taken = await browser.submit(atProvider, { login: 'anna' })
  assert.equal(taken.status, 409)
  assert.match(taken.text, /belongs to another account/)

  const [identity] = JSON.parse((await anna.request(`${sso.url}/api/me/identities`)).text)
  const path = `${sso.url}/api/me/identities/${identity.id}`
  const headers = { origin: sso.url, accept: '*/*' }
  const refused = await anna.request(path, { method: 'DELETE', headers })
  assert.equal(JSON.parse(refused.text).error, 'last_sign_in_method')
})

test('an app gets a code that its verifier turns into a token pair, once', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const codeVerifier = 'v'.repeat(64)
  const challenge = Buffer.from(
    await crypto.subtle.digest('SHA-256', Buffer.from(codeVerifier)),
  ).toString('base64url')
  const query = (redirect: string) =>
    `&app_redirect=${encodeURIComponent(redirect)}&app_challenge=${challenge}&app_state=xyz`
  const codeFor = async (redirect: string) => {
    const browser = new WebBrowser()
    const callback = await sso.toCallback(browser, 'anna', query(redirect))
    const { text } = await browser.request(callback, { headers: { accept: '*/*' } })
    assert.equal(browser.cookie(sso.url, 'mimir_session'), undefined)
    const location = new URL(JSON.parse(text).location)
    assert.ok(location.href.startsWith(redirect), location.href)
    assert.equal(location.searchParams.get('state'), 'xyz')
    return location.searchParams.get('code') as string
  }
  const rest = sso.mimir.rest()
  const redeem = (code: string, verifier = codeVerifier) =>
    rest.post('/api/auth/app-code/redeem', { code, codeVerifier: verifier })

  const code = await codeFor('http://127.0.0.1:51234/back')
  const pair = assertDone(await redeem(code))
  assert.equal(pair.username, 'anna')
  assertDone(await sso.mimir.rest(pair.accessToken).get('/api/me'))
  assertDone(await rest.post('/api/auth/refresh', { refreshToken: pair.refreshToken }))
  assertRefused(await redeem(code), 401, 'invalid_or_expired_challenge')

  const stolen = await codeFor('mimir://signed-in')
  assertRefused(await redeem(stolen, 'w'.repeat(64)), 401, 'invalid_or_expired_challenge')
  // A wrong verifier uses up the code.
  assertRefused(await redeem(stolen), 401, 'invalid_or_expired_challenge')

  const late = await codeFor('http://localhost:51234/back')
  sso.mimir.clock.advance(MINUTE + 1)
  assertRefused(await redeem(late), 401, 'invalid_or_expired_challenge')
})

test('while the provider is down sign-in says so, sessions live on, and after it all is well', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  const back = await sso.toCallback(browser, 'anna')
  sso.idp.broken.set('/token', 503)
  const down = await browser.request(back, { headers: { accept: '*/*' } })
  assert.deepEqual([down.status, JSON.parse(down.text).error], [502, 'idp_unavailable'])
  assert.equal((await whoIs(sso, browser)).username, 'anna')
  sso.idp.broken.clear()
  await sso.signIn(browser, 'anna')
  assert.equal((await whoIs(sso, browser)).username, 'anna')
})

test('a provider that cannot be discovered is unavailable, until it can', async () => {
  await using sso = await startSso()
  sso.idp.people.set('anna', ANNA)
  sso.idp.broken.set('/.well-known/openid-configuration', 500)
  const { status } = await fetch(`${sso.url}/auth/login`, { redirect: 'manual' })
  assert.equal(status, 502)
  sso.idp.broken.clear()
  const browser = new WebBrowser()
  await sso.signIn(browser, 'anna')
  assert.equal((await whoIs(sso, browser)).username, 'anna')
})

test('the page to sign in at shows what is set up', async () => {
  const others = [
    { name: 'second', type: 'google', client: { id: 'x' }, label: 'the <b>school</b>' },
  ]
  await using sso = await startSso({ provider: { label: 'Work' }, others })
  const browser = new WebBrowser()
  // With several providers, there is a choice.
  const page = await browser.open(`${sso.url}/auth/login?return_to=/auth/account`)
  assert.match(page.url, /\/auth\/sign-in\?return_to=/)
  assert.match(
    page.text,
    /href="\/auth\/login\?return_to=[^"]*&amp;provider=work">Sign in with Work/,
  )
  assert.match(page.text, /Sign in with the &lt;b&gt;school/)
  assert.match(page.text, /name="password"/)
  const config = assertDone(await sso.mimir.rest().get('/auth/config'))
  assert.deepEqual(
    config.providers.map(({ name, type }: { name: string; type: string }) => [name, type]),
    [
      ['work', 'generic'],
      ['second', 'google'],
    ],
  )
  assert.ok(!JSON.stringify(config).includes('secret'))
  assertRefused(await sso.mimir.rest().get('/auth/login?provider=nobody'), 404, 'not_found')
})
