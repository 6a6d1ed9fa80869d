import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { bootWithAddress } from '../harness/oauth.ts'
import type { Reply } from '../harness/rest.ts'
import { WebBrowser } from '../harness/web-browser.ts'

/** A browser that opens pages of this server without any flow under way. */
function newcomer(mimir: Appliance) {
  return mimir.rest().with({
    accept: 'text/html',
    origin: 'http://localhost:8080',
    'content-type': 'application/x-www-form-urlencoded',
  })
}

function assertPage({ status, headers, body }: Reply, expected: number, has: RegExp): void {
  assert.equal(status, expected, body)
  assert.match(headers.get('content-type') ?? '', /^text\/html/)
  assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
  assert.match(body, has)
}

test('a page of signing in that somebody opens out of the blue says what is missing', async () => {
  await using mimir = await boot()
  const browser = newcomer(mimir)
  assertPage(await browser.get('/auth/sign-in'), 200, /<form/)
  assertPage(await browser.get('/auth/signed-out'), 200, /sign/i)
  assertPage(await browser.get('/auth/logout'), 200, /<form/)
  assertPage(await browser.get('/auth/account'), 401, /role="?alert/)
  assertPage(await browser.get('/auth/second-factor'), 401, /role="?alert/)
  assertPage(await browser.get('/auth/callback'), 400, /role="?alert/)
})

test('a wrong password costs neither the name that was entered nor the way back', async () => {
  const providers = [
    {
      name: 'work',
      type: 'generic',
      issuer: 'http://127.0.0.1:9',
      client: { id: 'm', secret: 's' },
    },
  ]
  const env = { MIMIR_OIDC_PROVIDERS: JSON.stringify(providers) }
  await using mimir = await boot({ env })
  const form = new URLSearchParams({
    usernameOrEmail: 'ann "the" admin',
    password: 'wrong',
    return_to: '/oauth/clients',
  })
  const { body } = await newcomer(mimir).send('POST', '/auth/sign-in', String(form))
  assert.match(body, /value="ann &quot;the&quot; admin"/)
  assert.match(body, /name="return_to" value="\/oauth\/clients"/)
  assert.match(body, /href="\/auth\/login\?provider=work&amp;return_to=%2Foauth%2Fclients"/)
  assert.doesNotMatch(body, /wrong"/)
})

test('a form without the step that it belongs to signs nobody in', async () => {
  await using mimir = await boot()
  const browser = newcomer(mimir)
  for (const reply of [
    await browser.send('POST', '/auth/second-factor', 'code=123456'),
    await browser.send('POST', '/auth/passkey', 'response=%7B%7D'),
  ]) {
    assertPage(reply, 401, /role="?alert/)
    assert.doesNotMatch(reply.headers.get('set-cookie') ?? '', /mimir_session=[^;]/)
  }
})

test('a proof that is none of any kind is asked for again', async () => {
  await using mimir = await bootWithAddress({ env: {} })
  const { name, password } = await mimir.person('alice')
  const browser = new WebBrowser()
  const account = `${mimir.publicUrl}/auth/account`
  await browser.post(`${mimir.publicUrl}/auth/sign-in`, { usernameOrEmail: name, password })
  for (const proof of [
    {},
    { password: '' },
    { password: 'x'.repeat(1001) },
    { code: 'x'.repeat(5000) },
    { code: ' ', password: '' },
  ]) {
    const { status, text } = await browser.post(account, { action: 'step-up', ...proof })
    assert.equal(status, 400, text)
    assert.match(text, /role="alert"[\s\S]*name="action" value="step-up"/)
  }
})

test('every 401 names a way to sign in, a page that may be filled in again too', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const browser = newcomer(mimir)
  const wrong = `usernameOrEmail=${alice.name}&password=wrong`
  for (const reply of [
    await browser.send('POST', '/auth/sign-in', wrong),
    await browser.send('POST', '/auth/sign-in', ''),
    await browser.send('POST', '/auth/passkey', 'passkey='),
    await browser.get('/auth/account'),
  ]) {
    assertPage(reply, 401, /role="?alert/)
    assert.equal(reply.headers.get('www-authenticate'), 'Bearer')
  }
})

test('a code of the wrong length is a wrong code, and may be entered again', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const browser = newcomer(mimir).with({ authorization: `Bearer ${alice.accessToken}` })
  for (const code of ['12', '1'.repeat(41)]) {
    const reply = await browser.send('POST', '/auth/account', `action=step-up&code=${code}`)
    assertPage(reply, 400, /The code or passkey is incorrect.*name="password"/s)
  }
})
