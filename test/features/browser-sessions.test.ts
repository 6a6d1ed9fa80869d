import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { rawRequest } from '../harness/raw-request.ts'
import { assertDone, assertRefused, type Rest } from '../harness/rest.ts'
import { WebBrowser } from '../harness/web-browser.ts'

const HOUR = 3_600_000
/** The appliance's default public URL. */
const ORIGIN = 'http://localhost:8080'

/** Signs in by password as a browser does; returns the session cookie. */
async function signedIn(mimir: Appliance, person: Person): Promise<string> {
  const body = new URLSearchParams({ usernameOrEmail: person.name, password: person.password })
  const headers = { origin: ORIGIN, accept: '*/*' }
  const answer = await fetch(`${mimir.url}/auth/sign-in`, { method: 'POST', headers, body })
  assert.equal(answer.status, 200, await answer.clone().text())
  const [cookie = ''] = answer.headers.getSetCookie().filter((line) => /^mimir_session/.test(line))
  return cookie.split(';')[0] ?? ''
}

/** Makes requests with the cookie, as a browser does for one of our pages. */
function fromOurs(mimir: Appliance, cookie: string): Rest {
  return mimir.rest().with({ cookie, origin: ORIGIN })
}

test('a cookie opens what a token opens, on REST and on the hub', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const cookie = await signedIn(mimir, alice)
  const rest = fromOurs(mimir, cookie)
  assert.equal(assertDone(await rest.get('/api/me')).id, alice.id)
  const { id } = assertDone(
    await rest.post('/api/conversations', { type: 'Dm', memberIds: [bob.id] }),
    201,
  )
  assertDone(await rest.post(`/api/messages/${id}`, { content: 'by cookie' }), 201)
  assertDone(await rest.post('/hubs/dm/negotiate?negotiateVersion=1'))
  assert.match(await upgrade(mimir, { cookie, origin: ORIGIN }), /^HTTP\/1.1 101 /)
})

test('a page of another site cannot make the browser act with the cookie', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const cookie = await signedIn(mimir, alice)
  const send = (headers: Record<string, string>) =>
    mimir
      .rest()
      .with({ cookie, ...headers })
      .post('/api/me/regenerate-friend-key')
  for (const headers of [
    {},
    { origin: 'https://evil.example.org' },
    { origin: 'null' },
    { origin: 'http://localhost:8081' },
    { origin: 'https://localhost:8080' },
    { origin: 'http://localhost:8080.evil.example.org' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    { 'sec-fetch-site': 'same-site', origin: ORIGIN },
    { 'sec-fetch-site': 'none' },
  ]) {
    assertRefused(await send(headers), 403, 'foreign_origin')
  }
  assertDone(await send({ origin: ORIGIN }))
  assertDone(await send({ 'sec-fetch-site': 'same-origin', origin: 'null' }))
})

test('another site cannot read with the cookie either, but its links may be followed', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const cookie = await signedIn(mimir, alice)
  const get = (headers: Record<string, string>) =>
    rawRequest(`${mimir.url}/api/me`, { headers: { cookie, ...headers } })
  for (const site of ['cross-site', 'same-site']) {
    const refused = await get({ 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' })
    assertRefused(refused, 403, 'foreign_origin')
    assertDone(await get({ 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' }))
  }
  assertRefused(await get({ origin: 'https://evil.example.org' }), 403, 'foreign_origin')
  // Typed addresses, and clients that are not browsers.
  assertDone(await get({ 'sec-fetch-site': 'none' }))
  assertDone(await get({}))
})

test('another site cannot open a hub connection with the cookie', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const cookie = await signedIn(mimir, alice)
  for (const origin of [undefined, 'https://evil.example.org', 'null']) {
    const answer = await upgrade(mimir, { cookie, ...(origin ? { origin } : {}) })
    assert.match(answer, /^HTTP\/1.1 403 [\s\S]*foreign_origin/, String(origin))
  }
})

test('a token in the header goes before a cookie, and needs no origin', async () => {
  await using mimir = await boot()
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  const cookie = await signedIn(mimir, alice)
  const rest = bob.rest.with({ cookie, origin: 'https://evil.example.org' })
  assert.equal(assertDone(await rest.get('/api/me')).id, bob.id)
})

test('another site cannot sign somebody in as somebody else', async () => {
  await using mimir = await boot()
  const mallory = await mimir.person('mallory')
  const body = new URLSearchParams({ usernameOrEmail: 'mallory', password: mallory.password })
  for (const path of ['/auth/sign-in', '/auth/passkey', '/auth/second-factor', '/auth/logout']) {
    const headers = { origin: 'https://evil.example.org' }
    const answer = await fetch(mimir.url + path, { method: 'POST', headers, body })
    assert.equal((await answer.json()).error, 'foreign_origin', path)
    assert.deepEqual(answer.headers.getSetCookie(), [])
  }
})

test('a cookie ends after a while without a call, and after a week in any case', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const rest = fromOurs(mimir, await signedIn(mimir, alice))
  for (let day = 0; day < 13; day++) {
    mimir.clock.advance(12 * HOUR - 1000)
    assertDone(await rest.get('/api/me'))
  }
  mimir.clock.advance(12 * HOUR - 1000)
  assertDone(await rest.get('/api/me'))
  mimir.clock.advance(15_000)
  assertRefused(await rest.get('/api/me'), 401, 'unauthorized')
  const idle = fromOurs(mimir, await signedIn(mimir, alice))
  mimir.clock.advance(12 * HOUR + 1000)
  assertRefused(await idle.get('/api/me'), 401, 'unauthorized')
})

test('the times can be set, and a cookie says how long it is kept', async () => {
  const env = { MIMIR_SESSION_SECONDS: '600', MIMIR_SESSION_IDLE_SECONDS: '60' }
  await using mimir = await boot({ env })
  const alice = await mimir.person('alice')
  const rest = fromOurs(mimir, await signedIn(mimir, alice))
  mimir.clock.advance(50_000)
  assertDone(await rest.get('/api/me'))
  mimir.clock.advance(50_000)
  assertDone(await rest.get('/api/me'))
  mimir.clock.advance(61_000)
  assertRefused(await rest.get('/api/me'), 401, 'unauthorized')
})

test('over TLS the cookies travel in no other way', async () => {
  const env = { MIMIR_PUBLIC_URL: 'https://chat.example.org/mimir' }
  await using mimir = await boot({ env })
  const alice = await mimir.person('alice')
  const body = new URLSearchParams({ usernameOrEmail: 'alice', password: alice.password })
  const headers = { origin: 'https://chat.example.org', accept: 'text/html' }
  const answer = await fetch(`${mimir.url}/mimir/auth/sign-in`, { method: 'POST', headers, body })
  const cookies = answer.headers.getSetCookie()
  const session = cookies.find((line) => line.startsWith('mimir_session='))
  assert.match(session ?? '', /; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  assert.ok(cookies.some((line) => line.startsWith('__Host-mimir_step=;')))
  assert.match(await answer.text(), /content="0; url=\/mimir\/auth\/account"/)
})

test('a path to go on to is meant as it was opened, with the public path or without', async () => {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: 'https://chat.example.org/mimir' } })
  const alice = await mimir.person('alice')
  const whereTo = async (path: string) => {
    const login = { usernameOrEmail: 'alice', password: alice.password, return_to: path }
    const headers = { origin: 'https://chat.example.org' }
    const body = new URLSearchParams(login)
    const answer = await fetch(`${mimir.url}/auth/sign-in`, { method: 'POST', headers, body })
    return (await answer.json()).location
  }
  assert.equal(await whereTo('/auth/account?a=1'), '/mimir/auth/account?a=1')
  assert.equal(await whereTo('/mimir/auth/account?a=1'), '/mimir/auth/account?a=1')
  assert.equal(await whereTo('/mimirs'), '/mimir/mimirs')
  // A return path outside this server leads to the account page.
  assert.equal(await whereTo('//evil.example.org'), '/mimir/auth/account')
})

test('whoever signs out has no session any more, and a revoked one is cut off at once', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const cookie = await signedIn(mimir, alice)
  const rest = fromOurs(mimir, cookie)
  const reply = await fetch(`${mimir.url}/auth/logout`, {
    method: 'POST',
    headers: { cookie, origin: ORIGIN },
  })
  assert.deepEqual(await reply.json(), { endSessionUrl: null })
  assertRefused(await rest.get('/api/me'), 401, 'unauthorized')
  const second = fromOurs(mimir, await signedIn(mimir, alice))
  assertDone(await alice.rest.delete('/api/me/sessions'), 204)
  assertRefused(await second.get('/api/me'), 401, 'unauthorized')
})

test('the store keeps no cookie that opens anything', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const cookie = await signedIn(mimir, alice)
  const token = cookie.replace('mimir_session=', '')
  const rows = await mimir.app.ctx.db.read.selectFrom('browser_sessions').selectAll().execute()
  assert.equal(rows.length, 1)
  assert.ok(!JSON.stringify(rows).includes(token))
  assert.ok(!mimir.logged.some((line) => line.includes(token)))
})

test('a wrong password is told on the page', async () => {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: ORIGIN } })
  await mimir.person('alice')
  const body = new URLSearchParams({ usernameOrEmail: 'alice', password: 'wrong' })
  const headers = { origin: ORIGIN, accept: 'text/html' }
  const answer = await fetch(`${mimir.url}/auth/sign-in`, { method: 'POST', headers, body })
  assert.equal(answer.status, 401)
  assert.match(await answer.text(), /role="alert">The name or the password is incorrect/)
  const browser = new WebBrowser()
  const page = await browser.open(`${mimir.url}/auth/account`)
  assert.equal(page.status, 401)
  assert.match(page.headers.get('content-type') ?? '', /html/)
})

test('a browser is asked for no version of the app', async () => {
  await using mimir = await boot({ env: { MIN_APP_VERSION_ANDROID: '1.9' } })
  const alice = await mimir.person('alice')
  const browser = fromOurs(mimir, await signedIn(mimir, alice))

  assertDone(await browser.get('/api/nodes/query'))
  const consent = await browser.with({ accept: 'text/html' }).get('/oauth/authorize')
  assert.equal(consent.status, 400, consent.body)
  assertRefused(await alice.rest.get('/api/nodes/query'), 426, 'app_version_too_old')
})

/** The response to a WebSocket request: its start if the upgrade succeeds. */
function upgrade(mimir: Appliance, headers: Record<string, string>): Promise<string> {
  const { hostname, port } = new URL(mimir.url)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text
      if (/requestId|^HTTP\/1.1 101/.test(answer)) socket.destroy()
    })
    socket.once('close', () => resolve(answer)).once('error', reject)
    socket.write(
      `GET /hubs/dm HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines.join('')}` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
  })
}

test('a sign-out that the store could not carry out does not claim to have done it', async () => {
  await using mimir = await boot()
  const cookie = await signedIn(mimir, await mimir.person('alice'))
  const signOut = () =>
    fetch(`${mimir.url}/auth/logout`, {
      method: 'POST',
      headers: { cookie, origin: ORIGIN, accept: '*/*' },
      body: new URLSearchParams(),
    })
  const rename = (from: string, to: string) =>
    mimir.app.ctx.db.transaction(async (tx) => {
      await tx.schema.alterTable(from).renameTo(to).execute()
    })
  await rename('browser_sessions', 'browser_sessions_away')
  const failed = await signOut()
  assert.equal(failed.status, 500)
  assert.deepEqual(failed.headers.getSetCookie(), [])
  await rename('browser_sessions_away', 'browser_sessions')
  assertDone(await fromOurs(mimir, cookie).get('/api/me'))
  assert.equal((await signOut()).status, 200)
  assertRefused(await fromOurs(mimir, cookie).get('/api/me'), 401, 'unauthorized')
})
