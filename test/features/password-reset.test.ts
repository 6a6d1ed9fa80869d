import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { MailServer } from '../harness/mail-server.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { WebBrowser } from '../harness/web-browser.ts'

const EMAIL = 'ann@example.org'
const NEW = 'a brand new password'

const forgot = (mimir: Appliance, email: string) =>
  mimir.rest().post('/api/auth/forgot-password', { email })

const reset = (mimir: Appliance, token: string, newPassword = NEW) =>
  mimir.rest().post('/api/auth/reset-password', { token, newPassword })

const login = (mimir: Appliance, password: string) =>
  mimir.rest().post('/api/auth/login', { usernameOrEmail: 'ann', password })

test('a forgotten password is set anew by the link of the mail, and every session ends', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  const ann = await mimir.person('ann')
  const hub = await ann.connect()

  assert.equal(assertDone(await forgot(mimir, EMAIL.toUpperCase()), 202), '')
  const link = await mail.link(EMAIL, 2)
  assert.equal(link.pathname, '/reset-password')
  assertDone(await reset(mimir, link.searchParams.get('token') ?? ''), 204)

  assertRefused(await ann.rest.get('/api/me'), 401, 'unauthorized')
  assertRefused(await login(mimir, ann.password), 401, 'invalid_credentials')
  assertDone(await login(mimir, NEW))
  await assert.rejects(hub.invoke('Typing', ann.id, true))
})

test('a browser asks for a new password on a page that the sign-in page links to', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  await mimir.person('ann')
  const browser = new WebBrowser()
  const signIn = await browser.open(`${mimir.url}/auth/sign-in`)
  assert.match(signIn.text, /<a href="\/forgot-password">/)
  assert.match((await browser.open(`${mimir.url}/forgot-password`)).text, /<input name="email"/)

  const ask = (email: string) => browser.post(`${mimir.url}/forgot-password`, { email })
  assert.equal((await ask('no address')).status, 400)
  const [known, unknown] = [await ask(EMAIL), await ask('nobody@example.org')]
  assert.equal(known.status, 200)
  assert.equal(known.text, unknown.text)
  assertDone(await reset(mimir, await mail.token(EMAIL, 2)), 204)
})

test('without a mail server the page says whom to ask', async () => {
  await using mimir = await boot()
  const { text } = await new WebBrowser().open(`${mimir.url}/forgot-password`)
  assert.match(text, /administrator/)
  assert.doesNotMatch(text, /<form/)
})

test('a link for a password works once, for 30 minutes, and for nothing else', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  await mimir.person('ann')
  assertDone(await forgot(mimir, EMAIL), 202)
  const token = await mail.token(EMAIL, 2)

  const verify = await mimir.rest().get(`/api/auth/verify-email?token=${token}`)
  assertRefused(verify, 400, 'invalid_or_expired_token')
  assertRefused(await reset(mimir, 'unknown'), 400, 'invalid_or_expired_token')
  assertRefused(await reset(mimir, token, 'short'), 400, 'validation_failed')
  const both = await Promise.all([reset(mimir, token), reset(mimir, token)])
  assert.deepEqual(both.map((reply) => reply.status).sort(), [204, 400])
  assertRefused(await reset(mimir, token), 400, 'invalid_or_expired_token')

  assertDone(await forgot(mimir, EMAIL), 202)
  const late = await mail.token(EMAIL, 3)
  mimir.clock.advance(30 * MINUTE)
  assertRefused(await reset(mimir, late), 400, 'invalid_or_expired_token')
})

test('a link is of no use once the password was changed, or the account suspended', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  const ann = await mimir.person('ann')
  assertDone(await forgot(mimir, EMAIL), 202)
  const before = await mail.token(EMAIL, 2)
  const passwords = { currentPassword: ann.password, newPassword: 'changed by hand' }
  assertDone(await ann.rest.post('/api/auth/change-password', passwords), 204)
  assertRefused(await reset(mimir, before), 400, 'invalid_or_expired_token')

  assertDone(await forgot(mimir, EMAIL), 202)
  const open = await mail.token(EMAIL, 3)
  await mimir.command('user.suspend', { user: 'ann' })
  assertRefused(await reset(mimir, open), 400, 'invalid_or_expired_token')
})

test('an unknown or suspended address is answered alike, and gets no letter', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  await mimir.person('ann')
  await mimir.person('bob')
  await mimir.command('user.suspend', { user: 'bob' })
  const replies = [
    await forgot(mimir, 'nobody@example.org'),
    await forgot(mimir, 'bob@example.org'),
    await forgot(mimir, EMAIL),
  ]

  for (const reply of replies) assert.equal(assertDone(reply, 202), '')
  assertRefused(await forgot(mimir, 'no address'), 400, 'validation_failed')
  await mail.link(EMAIL, 2)
  assert.equal(mail.letters.filter(({ text }) => /new password/.test(text)).length, 1)
})

test('asking on and on fills no mailbox', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  await mimir.person('ann')
  for (let n = 0; n < 8; n++) assertDone(await forgot(mimir, EMAIL), 202)

  await mail.link(EMAIL, 6)
  mimir.clock.advance(30 * MINUTE)
  assertDone(await forgot(mimir, EMAIL), 202)
  assertDone(await reset(mimir, await mail.token(EMAIL, 7)), 204)
  assert.equal(mail.letters.filter(({ text }) => /new password/.test(text)).length, 6)
})

test('without a mail server the answer is the same and the log says why nothing comes', async () => {
  await using mimir = await boot()
  await mimir.person('ann')

  assertDone(await forgot(mimir, EMAIL), 202)
  assert.ok(
    mimir.logged.some((line) => line.includes('no mail server is configured: nothing was sent')),
  )
  assert.ok(!mimir.logged.some((line) => line.includes(EMAIL)))
})

test('a person whose app cannot ask for the link finds the way from the sign-in page', async () => {
  await using mail = await new MailServer().start()
  const env = { MIMIR_PUBLIC_URL: 'http://localhost:8080/mimir' }
  await using mimir = await boot({ mail, env })
  const ann = await mimir.person('ann')
  const browser = new WebBrowser()
  const open = async (path: string) => (await browser.open(mimir.url + path)).text
  const ask = (email: string) => browser.post(`${mimir.url}/mimir/forgot-password`, { email })

  assert.match(await open('/mimir/auth/sign-in'), /href="\/mimir\/forgot-password"/)
  assert.match(await open('/mimir/forgot-password'), /<form method="post">[\s\S]*name="email"/)
  const wrong = await ask('no address')
  assert.equal(wrong.status, 400)
  assert.match(wrong.text, /not an e-mail address[\s\S]*<form/)
  const [known, unknown] = [await ask(EMAIL.toUpperCase()), await ask('nobody@example.org')]
  assert.equal(known.status, 200)
  assert.equal(known.text, unknown.text)
  const { pathname, search } = await mail.link(EMAIL, 2)
  const set = await browser.post(mimir.url + pathname + search, { newPassword: NEW })
  assert.equal(set.status, 200)
  assertDone(await login(mimir, NEW))
  assertRefused(await login(mimir, ann.password), 401, 'invalid_credentials')

  // A link that is over leads to the next one.
  assert.match(await open(pathname + search), /has expired[\s\S]*href="\/mimir\/forgot-password"/)
})

test('without a mail server the pages ask for no address and say whom to ask', async () => {
  await using mimir = await boot()
  const browser = new WebBrowser()
  assert.doesNotMatch((await browser.open(`${mimir.url}/auth/sign-in`)).text, /forgot-password/)
  for (const { status, text } of [
    await browser.open(`${mimir.url}/forgot-password`),
    await browser.open(`${mimir.url}/resend-verification`),
    await browser.post(`${mimir.url}/forgot-password`, { email: EMAIL }),
    await browser.post(`${mimir.url}/resend-verification`, { email: EMAIL }),
  ]) {
    assert.equal(status, 200)
    assert.match(text, /sends no e-mail: ask an administrator/)
    assert.doesNotMatch(text, /<form/)
  }
})

test('the link opens a form that works without script, also behind a public path', async () => {
  await using mail = await new MailServer().start()
  const env = { MIMIR_PUBLIC_URL: 'https://chat.example.org/mimir' }
  await using mimir = await boot({ mail, env })
  const ann = await mimir.person('ann')
  assertDone(await forgot(mimir, EMAIL), 202)
  const link = await mail.link(EMAIL, 2)
  assert.match(link.href, /^https:\/\/chat\.example\.org\/mimir\/reset-password\?token=[\w-]{43}$/)
  const path = link.pathname + link.search
  const browser = mimir.rest().with({ 'content-type': 'application/x-www-form-urlencoded' })
  const submit = (newPassword: string) =>
    browser.send('POST', path, String(new URLSearchParams({ newPassword })))

  const form = await mimir.rest().get(path)
  assert.equal(form.status, 200)
  assert.match(form.body, /<form method="post">[\s\S]*name="newPassword"/)
  assert.doesNotMatch(form.body, /<script|<link|<img/)
  const short = await submit('short')
  assert.equal(short.status, 400)
  assert.match(short.body, /8 to 72 bytes[\s\S]*<form/)
  assert.equal((await submit(NEW)).status, 200)
  assertDone(await login(mimir, NEW))
  assertRefused(await login(mimir, ann.password), 401, 'invalid_credentials')
  for (const reply of [await submit(NEW), await mimir.rest().get(path)]) {
    assert.equal(reply.status, 400)
    assert.match(reply.body, /not valid, was used, or has expired/)
  }
})
