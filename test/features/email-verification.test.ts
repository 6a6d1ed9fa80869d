import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { MINUTE } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { auditOf } from '../harness/keys.ts'
import { MailServer } from '../harness/mail-server.ts'
import { assertDone, assertRefused, type Reply } from '../harness/rest.ts'
import { WebBrowser } from '../harness/web-browser.ts'

const EMAIL = 'ann@example.org'
const PASSWORD = 'correct horse'

async function register(mimir: Appliance): Promise<Reply> {
  const { token } = await mimir.command('invite.create')
  return mimir.rest().post('/api/auth/register', {
    invitationToken: token,
    email: EMAIL,
    username: 'ann',
    password: PASSWORD,
  })
}

const verify = (mimir: Appliance, token: string) =>
  mimir.rest().get(`/api/auth/verify-email?token=${token}`)

const resend = (mimir: Appliance, email: string) =>
  mimir.rest().post('/api/auth/resend-verification', { email })

const statusOf = async (mimir: Appliance) =>
  (await mimir.command('user.show', { user: 'ann' })).status

test('a new account confirms its address, then is approved, then may sign in', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  const login = () =>
    mimir.rest().post('/api/auth/login', { usernameOrEmail: 'ann', password: PASSWORD })

  assert.equal(assertDone(await register(mimir)).status, 'PendingEmail')
  const early = await login()
  assert.equal(early.body.status, 'PendingEmail')
  assert.match(early.body.message, /Confirm your e-mail address/)
  const verified = assertDone(await verify(mimir, await mail.token(EMAIL)))
  assert.equal(verified.status, 'PendingAdmin')
  assert.equal(typeof verified.message, 'string')
  const waiting = await login()
  assert.equal(waiting.body.status, 'PendingAdmin')
  assert.match(waiting.body.message, /An administrator has to approve you/)
  await mimir.command('user.approve', { user: 'ann' })
  assertDone(await login())
})

test('administrators are told who waits, and whoever was let in is told so', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  const admin = await mimir.admin('ada')
  const { email } = (await admin.rest.get('/api/me')).body
  assertDone(await register(mimir))
  assertDone(await verify(mimir, await mail.token(EMAIL)))

  const told = await eventually(
    () => mail.letters.find(({ to, text }) => to === email && /\bann\b/.test(text)),
    'no letter to the administrator',
  )
  assert.match(told.text, /is waiting for approval/)
  assert.ok(
    mimir.logged.some((line) =>
      line.includes('someone is waiting for approval: mimir user review'),
    ),
  )
  await mimir.command('user.approve', { user: 'ann' })
  await eventually(
    () => mail.letters.find(({ to, text }) => to === EMAIL && /you can sign in now/.test(text)),
    'no letter to the one who was let in',
  )
})

test('an administrator confirms an address whose letter did not arrive', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  mail.refuses = true
  assertDone(await register(mimir))

  const account = await mimir.command('user.confirm-email', { user: 'ann' })

  assert.equal(account.status, 'PendingAdmin')
  await assert.rejects(mimir.command('user.confirm-email', { user: 'ann' }), {
    code: 'invalid_state',
  })
  await mimir.command('user.approve', { user: 'ann' })
  assert.equal(await statusOf(mimir), 'Active')
})

test('nobody is approved before the address is confirmed', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  assertDone(await register(mimir))

  await assert.rejects(mimir.command('user.approve', { user: 'ann' }), { code: 'user_not_pending' })
  assert.equal(await statusOf(mimir), 'PendingEmail')
})

test('a confirmation link works once', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  assertDone(await register(mimir))
  const token = await mail.token(EMAIL)
  const replies = await Promise.all([verify(mimir, token), verify(mimir, token)])

  assert.deepEqual(replies.map((reply) => reply.status).sort(), [200, 400])
  assertRefused(await verify(mimir, token), 400, 'invalid_or_expired_token')
})

test('a confirmation link is good for 30 minutes', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  assertDone(await register(mimir))
  const token = await mail.token(EMAIL)
  mimir.clock.advance(30 * MINUTE)

  assertRefused(await verify(mimir, token), 400, 'invalid_or_expired_token')
  assertDone(await resend(mimir, EMAIL), 202)
  const fresh = await mail.token(EMAIL, 2)
  mimir.clock.advance(30 * MINUTE - 5000)
  assertDone(await verify(mimir, fresh))
})

test('a link without a token, with a wrong one, or for an account past this step says which', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  assertDone(await register(mimir))
  assertDone(await resend(mimir, EMAIL), 202)
  assertDone(await verify(mimir, await mail.token(EMAIL, 1)))

  assertRefused(await mimir.rest().get('/api/auth/verify-email'), 400, 'missing_token')
  assertRefused(await verify(mimir, ''), 400, 'missing_token')
  assertRefused(await verify(mimir, 'wrong'), 400, 'invalid_or_expired_token')
  assertRefused(await verify(mimir, await mail.token(EMAIL, 2)), 400, 'invalid_state')
  assert.equal(await statusOf(mimir), 'PendingAdmin')
})

test('asking for another link tells nobody whether the address is known', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  assertDone(await register(mimir))
  const unknown = await resend(mimir, 'nobody@example.org')
  const known = await resend(mimir, EMAIL.toUpperCase())

  assert.equal(assertDone(unknown, 202), '')
  assert.equal(assertDone(known, 202), '')
  assertDone(await verify(mimir, await mail.token(EMAIL, 2)))
  // Nothing is pending any more: the response is the same, but no letter is sent.
  assertDone(await resend(mimir, EMAIL), 202)
  // An invalid address is treated like an unknown one.
  for (const body of [
    '{"email":"no address"}',
    '{"email":"ann"}',
    '{"email":null}',
    '{}',
    '[]',
    '{',
    '',
  ]) {
    const reply = await mimir.rest().send('POST', '/api/auth/resend-verification', body)
    assert.equal(assertDone(reply, 202), '')
  }
  await mimir.app.close()
  assert.deepEqual(
    mail.letters.map((letter) => letter.to),
    [EMAIL, EMAIL],
  )
  await mimir.start()
})

test('asking for another link takes the same write for every address, and fills no mailbox', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  assertDone(await register(mimir))
  for (const address of ['nobody@example.org', ...Array(6).fill(EMAIL)]) {
    assertDone(await resend(mimir, address), 202)
  }

  const asked = await auditOf(mimir, 'account.verification_resent')
  assert.deepEqual(
    asked.map(({ details }) => details.linkSent),
    [false, true, true, true, true, false, false],
  )
  // With the one of the registration, five are open.
  await mail.token(EMAIL, 5)
  mimir.clock.advance(30 * MINUTE)
  assertDone(await resend(mimir, EMAIL), 202)
  assertDone(await verify(mimir, await mail.token(EMAIL, 6)))
  assert.equal(mail.letters.length, 6)
})

test('a confirmation link that has expired leads to a page that sends the next one', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  assertDone(await register(mimir))
  const { pathname, search } = await mail.link(EMAIL)
  mimir.clock.advance(30 * MINUTE)
  const browser = new WebBrowser()
  const expired = await browser.open(mimir.url + pathname + search)
  assert.equal(expired.status, 400)
  const [, way] = /href="(\/resend-verification)"/.exec(expired.text) ?? []
  assert.ok(way, expired.text)
  assert.match(
    (await browser.open(mimir.url + way)).text,
    /<form method="post">[\s\S]*name="email"/,
  )
  const [known, unknown] = [
    await browser.post(mimir.url + way, { email: EMAIL }),
    await browser.post(mimir.url + way, { email: 'nobody@example.org' }),
  ]
  assert.equal(known.status, 200)
  assert.equal(known.text, unknown.text)
  assertDone(await verify(mimir, await mail.token(EMAIL, 2)))
})

test('a mail server that is gone, or that never answers, neither delays nor fails a registration', async () => {
  const silent = createServer()
  await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  try {
    for (const SMTP_PORT of ['1', String(port)]) {
      await using mimir = await boot({
        env: { SMTP_HOST: '127.0.0.1', SMTP_PORT, SMTP_FROM: 'mimir@example.org' },
      })
      assert.equal(assertDone(await register(mimir)).status, 'PendingEmail')
    }
  } finally {
    silent.close()
  }
})

test('a mail that is refused is logged without its address', async () => {
  await using mail = await new MailServer().start()
  mail.refuses = true
  await using mimir = await boot({ env: mail.env })
  assertDone(await register(mimir))

  await eventually(
    () => mimir.logged.some((line) => line.includes('an e-mail could not be sent')),
    'the refusal was not logged',
  )
  assert.ok(!mimir.logged.some((line) => line.includes(EMAIL)), mimir.logged.join(''))
})
