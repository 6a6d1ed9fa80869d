import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type JWTPayload, SignJWT } from 'jose'
import type { Bent } from '../harness/identity-provider.ts'
import { assertRefused } from '../harness/rest.ts'
import { PROVIDER, type Sso, startSso } from '../harness/sso.ts'
import { type Page, WebBrowser } from '../harness/web-browser.ts'

const ANNA = { email: 'anna@example.org', email_verified: true, preferred_username: 'anna' }
const MINUTE = 60_000

let sso: Sso
before(async () => {
  sso = await startSso()
  sso.idp.people.set('anna', ANNA)
})
after(() => sso[Symbol.asyncDispose]())

/** Opens a callback as a program does, so that refusals come as JSON. */
function come(browser: WebBrowser, callback: string): Promise<Page> {
  return browser.request(callback, { headers: { accept: '*/*' } })
}

function assertFails({ status, text }: Page, expected: number, code: string, what = ''): void {
  const body = JSON.parse(text)
  assert.deepEqual([status, body.error], [expected, code], `${what} ${text}`)
}

function assertSignedOut(browser: WebBrowser): void {
  assert.equal(browser.cookie(sso.url, 'mimir_session'), undefined)
}

test('a callback of another browser, or of none, ends nothing', async () => {
  const [mallory, anna] = [new WebBrowser(), new WebBrowser()]
  const callback = await sso.toCallback(mallory, 'anna')
  assertFails(await come(anna, callback), 400, 'invalid_request', 'without a cookie')
  await sso.toCallback(anna, 'anna')
  assertFails(await come(anna, callback), 400, 'invalid_request', 'with another cookie')
  assertSignedOut(anna)
  // The browser that began can still finish.
  assert.equal((await come(mallory, callback)).status, 200)
})

test('a callback works once', async () => {
  const browser = new WebBrowser()
  const callback = await sso.toCallback(browser, 'anna')
  assert.equal((await come(browser, callback)).status, 200)
  assertFails(await come(browser, callback), 400, 'invalid_request')
})

test('of two callbacks at the same moment one ends the sign-in', async () => {
  const browser = new WebBrowser()
  const callback = await sso.toCallback(browser, 'anna')
  const answers = await Promise.all([come(browser, callback), come(browser, callback)])
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400])
})

test('a state that is unknown, missing or too old ends nothing', async () => {
  const browser = new WebBrowser()
  const url = new URL(await sso.toCallback(browser, 'anna'))
  for (const state of [undefined, '', 'x'.repeat(43)]) {
    const other = new URL(url)
    other.searchParams.delete('state')
    if (state !== undefined) other.searchParams.set('state', state)
    assertFails(await come(browser, other.href), 400, 'invalid_request', String(state))
  }
  sso.mimir.clock.advance(10 * MINUTE + 1)
  assertFails(await come(browser, url.href), 400, 'invalid_request', 'too old')
  sso.mimir.clock.advance(-10 * MINUTE - 1)
})

test('a code of another sign-in is not taken: the verifier does not fit', async () => {
  const [mallory, anna] = [new WebBrowser(), new WebBrowser()]
  const theirs = new URL(await sso.toCallback(mallory, 'anna'))
  const own = new URL(await sso.toCallback(anna, 'anna'))
  own.searchParams.set('code', theirs.searchParams.get('code') ?? '')
  assertFails(await come(anna, own.href), 400, 'invalid_grant')
})

test('a code that the provider does not know is refused', async () => {
  const browser = new WebBrowser()
  const url = new URL(await sso.toCallback(browser, 'anna'))
  url.searchParams.set('code', 'made-up')
  assertFails(await come(browser, url.href), 400, 'invalid_grant')
})

test('an answer of another issuer is a mix-up, also an error of one (RFC 9207)', async () => {
  for (const change of [
    (query: URLSearchParams) => query.set('iss', 'https://evil.example.org'),
    (query: URLSearchParams) => query.delete('iss'),
    (query: URLSearchParams) => query.append('iss', 'https://evil.example.org'),
    (query: URLSearchParams) => {
      query.set('iss', 'https://evil.example.org')
      query.delete('code')
      query.set('error', 'access_denied')
    },
  ]) {
    const browser = new WebBrowser()
    const url = new URL(await sso.toCallback(browser, 'anna'))
    change(url.searchParams)
    assertFails(await come(browser, url.href), 400, 'invalid_request', url.search)
    assertSignedOut(browser)
  }
})

const now = () => Math.floor(sso.mimir.clock.now() / 1000)

/** Invalid claims by what is wrong with them; undefined ones are left out. */
const BAD_CLAIMS: Record<string, () => object> = {
  'another nonce': () => ({ nonce: 'another' }),
  'no nonce': () => ({ nonce: undefined }),
  'another issuer': () => ({ iss: 'https://evil.example.org' }),
  'the issuer with a slash': () => ({ iss: `${sso.idp.issuer}/` }),
  'no issuer': () => ({ iss: undefined }),
  'for another client': () => ({ aud: 'another' }),
  'for several clients, and authorized for none': () => ({ aud: ['mimir', 'other'] }),
  'authorized for another client': () => ({ aud: ['mimir', 'other'], azp: 'other' }),
  'no audience': () => ({ aud: undefined }),
  'no subject': () => ({ sub: undefined }),
  expired: () => ({ exp: now() - 61 }),
  'no end': () => ({ exp: undefined }),
  'not yet valid': () => ({ nbf: now() + 120 }),
  'issued in the future': () => ({ iat: now() + 120 }),
  'no time': () => ({ iat: undefined }),
}

/** Signatures that are not the provider's. */
const BAD_SIGNATURES: Record<string, Pick<Bent, 'header' | 'key'>> = {
  none: { header: { alg: 'none' }, key: 'none' },
  'none, spelt otherwise': { header: { alg: 'nOnE' }, key: 'none' },
  'by a secret': { header: { alg: 'HS256' }, key: new Uint8Array(32) },
  'by a key of an unknown name': { header: { alg: 'RS256', kid: 'unknown' } },
}

async function assertTokenRefused(what: string, bend: (token: Bent) => void): Promise<void> {
  const browser = new WebBrowser()
  const callback = await sso.toCallback(browser, 'anna')
  sso.idp.bend = bend
  try {
    assertFails(await come(browser, callback), 401, 'invalid_token', what)
  } finally {
    sso.idp.bend = () => {}
  }
  assertSignedOut(browser)
}

for (const [what, change] of Object.entries(BAD_CLAIMS)) {
  test(`an ID token is refused: ${what}`, () =>
    assertTokenRefused(what, (token) => {
      token.claims = { ...token.claims, ...change() }
    }))
}

for (const [what, change] of Object.entries(BAD_SIGNATURES)) {
  test(`an ID token is refused that is signed ${what}`, () =>
    assertTokenRefused(what, (token) => {
      Object.assign(token, change)
    }))
}

test('an ID token signed with the public key as a secret is refused (HS256 for RS256)', async () => {
  const jwk = await sso.idp.publicJwk()
  await assertTokenRefused('HS256', (token) => {
    token.header = { ...token.header, alg: 'HS256' }
    token.key = Buffer.from(JSON.stringify(jwk))
  })
})

test('a token that is refused is in the audit and in the log, without the token', async () => {
  const browser = new WebBrowser()
  const callback = await sso.toCallback(browser, 'anna')
  sso.idp.bend = (token) => {
    token.claims = { ...token.claims, nonce: 'a forged nonce' }
  }
  const page = await come(browser, callback)
  sso.idp.bend = () => {}
  const { requestId } = JSON.parse(page.text)
  const [event] = await sso.mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .selectAll()
    .where('request_id', '=', requestId)
    .execute()
  assert.deepEqual([event?.type, event?.outcome], ['session.refused', 'deny'])
  assert.deepEqual(JSON.parse(event?.details ?? ''), { provider: PROVIDER, reason: 'token' })
  const lines = sso.mimir.logged.filter((line) => line.includes('a sign-in failed'))
  assert.ok(lines.some((line) => line.includes('nonce')))
  assert.ok(!lines.some((line) => line.includes('a forged nonce')))
})

test('a clock that is off by less than a minute hurts nobody', async () => {
  sso.idp.bend = ({ claims }) => {
    claims.exp = now() - 50
    claims.iat = now() + 50
  }
  const browser = new WebBrowser()
  const { status, text } = await come(browser, await sso.toCallback(browser, 'anna'))
  sso.idp.bend = () => {}
  assert.equal(status, 200, text)
})

test('a path that leads to another server is refused before anybody is sent anywhere', async () => {
  for (const path of [
    'https://evil.example.org',
    '//evil.example.org',
    '/\\evil.example.org',
    '\\\\evil.example.org',
    '/\t/evil.example.org',
    '/ok\r\nset-cookie: a=b',
    'javascript:alert(1)',
    'auth/account',
    '',
  ]) {
    const query = new URLSearchParams({ provider: PROVIDER, return_to: path })
    const reply = await sso.mimir.rest().get(`/auth/login?${query}`)
    assertRefused(reply, 400, 'validation_failed')
    assert.ok(reply.body.fields.return_to, path)
  }
})

test('an app that is not known is not called back', async () => {
  const challenge = 'c'.repeat(43)
  for (const redirect of [
    'https://evil.example.org/back',
    'http://evil.example.org/back',
    'http://localhost.evil.example.org/',
    'http://127.0.0.1.evil.example.org/',
    'http://user@127.0.0.1:1/',
    'http://127.0.0.1:1/#fragment',
    'mimir://signed-in/elsewhere',
    'other://signed-in',
    'javascript:alert(1)',
    'nonsense',
  ]) {
    const query = new URLSearchParams({ app_redirect: redirect, app_challenge: challenge })
    const reply = await sso.mimir.rest().get(`/auth/login?${query}`)
    assertRefused(reply, 400, 'invalid_request')
  }
  const without = await sso.mimir.rest().get('/auth/login?app_redirect=mimir://signed-in')
  assertRefused(without, 400, 'validation_failed')
})

test('an address that the provider has not verified joins no account', async () => {
  const alice = await sso.mimir.person('alice')
  const email = 'alice@example.org'
  for (const [login, claims] of Object.entries({
    unverified: { email, email_verified: false },
    unsaid: { email },
    odd: { email, email_verified: 'yes' },
  })) {
    sso.idp.people.set(login, claims)
    const browser = new WebBrowser()
    assertFails(
      await come(browser, await sso.toCallback(browser, login)),
      403,
      'not_admitted',
      login,
    )
  }
  // Not even a verified address: its holder at the provider gets a new account.
  sso.idp.people.set('verified', { email, email_verified: true, preferred_username: 'alice' })
  const browser = new WebBrowser()
  await sso.signIn(browser, 'verified')
  const me = JSON.parse((await browser.request(`${sso.url}/api/me`)).text)
  assert.notEqual(me.id, alice.id)
  assert.equal(me.email, '')
})

test('new keys of the provider are asked for when a token names one', async () => {
  const first = new WebBrowser()
  await sso.signIn(first, 'anna')
  await sso.idp.rotateKeys()
  // A token with an unknown key id causes a refetch, but not right after the last one.
  sso.mimir.clock.advance(31_000)
  const browser = new WebBrowser()
  const { status, text } = await come(browser, await sso.toCallback(browser, 'anna'))
  assert.equal(status, 200, text)
  sso.mimir.clock.advance(-31_000)
})

test('a session that was planted before the sign-in is not the one that it makes', async () => {
  const browser = new WebBrowser()
  const planted = 'p'.repeat(43)
  browser.setCookie(sso.url, 'mimir_session', planted)
  await sso.signIn(browser, 'anna')
  const session = browser.cookie(sso.url, 'mimir_session') as string
  assert.notEqual(session, planted)
  const mallory = new WebBrowser()
  mallory.setCookie(sso.url, 'mimir_session', planted)
  assert.equal((await mallory.request(`${sso.url}/api/me`)).status, 401)
  // Signing in again creates a new session.
  await sso.signIn(browser, 'anna')
  assert.notEqual(browser.cookie(sso.url, 'mimir_session'), session)
})

test('an identity is connected by the session that began it and no other', async () => {
  const mallory = await sso.mimir.person('mallory')
  sso.idp.people.set('victim', { email: 'victim@elsewhere.org', email_verified: true })
  const theirs = new WebBrowser()
  const form = await theirs.open(`${sso.url}/auth/sign-in`)
  await theirs.submit(form, { usernameOrEmail: 'mallory', password: mallory.password }, { form: 1 })
  const back = new RegExp(`^${sso.url}/auth/callback`)
  const atProvider = await theirs.post(`${sso.url}/auth/link`, { provider: PROVIDER })
  const callback = (await theirs.submit(atProvider, { login: 'victim' }, { until: back })).url
  // The session has ended meanwhile, so the returning browser is not the one that began.
  theirs.setCookie(sso.url, 'mimir_session', 'q'.repeat(43))
  assertFails(await come(theirs, callback), 400, 'invalid_request')
})

test('a back-channel logout needs a good token, and obeys it once', async () => {
  const event = 'http://schemas.openid.net/event/backchannel-logout'
  const token = async (change: object = {}, header: { typ?: string } = { typ: 'logout+jwt' }) =>
    sso.idp.sign(
      {
        iss: sso.idp.issuer,
        aud: 'mimir',
        sub: 'anna',
        iat: now(),
        exp: now() + 120,
        jti: crypto.randomUUID(),
        events: { [event]: {} },
        ...change,
      },
      header,
    )
  const send = async (logout_token: string) => {
    const body = new URLSearchParams({ logout_token })
    const answer = await fetch(`${sso.url}/auth/backchannel-logout`, { method: 'POST', body })
    return { status: answer.status, url: '', headers: answer.headers, text: await answer.text() }
  }
  const browser = new WebBrowser()
  let idToken: JWTPayload = {}
  sso.idp.bend = ({ claims }) => {
    idToken = { ...claims }
  }
  await sso.signIn(browser, 'anna')
  const me = () => browser.request(`${sso.url}/api/me`)
  const forged = await new SignJWT({ sub: 'anna' })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new Uint8Array(32))
  for (const [what, bad] of Object.entries({
    nothing: '',
    'no token': 'a.b.c',
    forged,
    'of another issuer': await token({ iss: 'https://evil.example.org' }),
    'for another client': await token({ aud: 'another' }),
    'an ID token': await sso.idp.sign(idToken),
    'an ID token with an id': await sso.idp.sign({ ...idToken, jti: 'x' }),
    'with the event of a logout and a nonce': await token({ nonce: 'a nonce' }),
    'an access token': await token({}, { typ: 'at+jwt' }),
    'of another event’s type': await token({}, { typ: 'secevent+jwt' }),
    'of a type that is none': await token({}, { typ: '' }),
    'without a type and the event': await token({ events: undefined }, {}),
    'without the event': await token({ events: {} }),
    'with the event as a word': await token({ events: event }),
    'with a word of the event': await token({ events: { [event]: 'yes' } }),
    'with a list of events': await token({ events: [event] }),
    'about nobody': await token({ sub: undefined }),
    'without an id': await token({ jti: undefined }),
    old: await token({ iat: now() - 400, exp: now() + 120 }),
    expired: await token({ exp: now() - 90 }),
    'of the future': await token({ iat: now() + 120 }),
  })) {
    assertFails(await send(bad), 400, 'invalid_request', what)
  }
  assert.equal((await me()).status, 200)
  // The type is only RECOMMENDED (§2.4), and JWT means no more than none (RFC 7519 §5.1).
  for (const header of [{}, { typ: 'JWT' }, { typ: 'application/logout+jwt' }]) {
    assert.equal((await send(await token({}, header))).status, 200, JSON.stringify(header))
    assert.equal((await me()).status, 401, JSON.stringify(header))
    await sso.signIn(browser, 'anna')
  }
  const good = await token()
  assert.equal((await send(good)).status, 200)
  assert.equal((await me()).status, 401)
  await sso.signIn(browser, 'anna')
  assertFails(await send(good), 400, 'invalid_request', 'again')
  assert.equal((await me()).status, 200)
})
