import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { MailServer } from '../harness/mail-server.ts'
import type { Reply } from '../harness/rest.ts'

const FORM = { username: 'ann', email: 'ann@example.org', password: 'correct horse' }

/** Submits a page's form as a browser does. */
function submit(mimir: Appliance, path: string, form: Record<string, string>): Promise<Reply> {
  const browser = mimir.rest().with({ 'content-type': 'application/x-www-form-urlencoded' })
  return browser.send('POST', path, new URLSearchParams(form).toString())
}

async function invitationPath(mimir: Appliance): Promise<string> {
  const { url } = await mimir.command('invite.create')
  return new URL(url).pathname
}

function assertPage(reply: Reply, status: number, words: RegExp): void {
  assert.equal(reply.status, status, reply.body)
  assert.equal(reply.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.match(reply.body, words)
}

test('the invitation link opens a form that works without script and registers the account', async () => {
  await using mimir = await boot()
  const path = await invitationPath(mimir)
  const form = await mimir.rest().get(path)

  assertPage(form, 200, /<form method="post">/)
  assert.doesNotMatch(form.body, /<script|<link|<img/)
  for (const field of Object.keys(FORM)) assert.match(form.body, new RegExp(`name="${field}"`))
  assertPage(await submit(mimir, path, FORM), 200, /administrator has to approve/)
  const { status, email } = await mimir.command('user.show', { user: 'ann' })
  assert.deepEqual([status, email], ['PendingAdmin', 'ann@example.org'])
})

test('a page may run no script, sits in no frame and is not kept', async () => {
  await using mimir = await boot()
  const { headers } = await mimir.rest().get(await invitationPath(mimir))

  const policy = headers.get('content-security-policy') ?? ''
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /script-src|unsafe/)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
})

test('looking at the page does not use the invitation up; registering does', async () => {
  await using mimir = await boot()
  const path = await invitationPath(mimir)
  await mimir.rest().get(path)
  assertPage(await submit(mimir, path, FORM), 200, /registered/)

  const again = { ...FORM, username: 'bob', email: 'bob@example.org' }
  assertPage(await submit(mimir, path, again), 400, /not valid, was used, or has expired/)
  assertPage(await mimir.rest().get(path), 400, /not valid, was used, or has expired/)
  assertPage(await mimir.rest().get('/join/unknown'), 400, /not valid/)
})

test('the field with the mistake is marked, and described by what is wrong', async () => {
  await using mimir = await boot()
  const path = await invitationPath(mimir)
  const mistakes = { username: '?', email: 'none', password: 'short' }
  for (const [field, value] of Object.entries(mistakes)) {
    const { body } = await submit(mimir, path, { ...FORM, [field]: value })
    const marked = body.match(/<input [^>]*aria-invalid="true" aria-describedby="problem"[^>]*>/g)
    assert.equal(marked?.length, 1, body)
    assert.ok(marked?.[0].includes(`name="${field}"`), marked?.[0])
    assert.match(body, /id="problem" role="alert"/)
  }
})

test('a form with a mistake comes back with what was typed, escaped, and without the password', async () => {
  await using mimir = await boot()
  const path = await invitationPath(mimir)
  const reply = await submit(mimir, path, { ...FORM, username: '"><script>alert(1)</script>' })

  assertPage(reply, 400, /3 to 50 letters/)
  assert.match(reply.body, /value="ann@example\.org"/)
  assert.match(reply.body, /value="&quot;&gt;&lt;script&gt;/)
  assert.doesNotMatch(reply.body, /<script>|correct horse/)
  assertPage(await submit(mimir, path, { ...FORM, email: 'none' }), 400, /not an e-mail/)
  assertPage(await submit(mimir, path, { ...FORM, password: 'short' }), 400, /8 to 72 bytes/)
  assertPage(await submit(mimir, path, FORM), 200, /registered/)
})

test('a password that is tried first comes back with the form', async () => {
  await using mimir = await boot({ env: { MIMIR_REFUSE_COMMON_PASSWORDS: 'true' } })
  const reply = await submit(mimir, await invitationPath(mimir), { ...FORM, password: 'password1' })

  assertPage(reply, 400, /too common/)
  assert.match(reply.body, /<form method="post">/)
})

test('a taken name comes back as a page that does not say what is taken', async () => {
  await using mimir = await boot()
  await mimir.person('ann')
  const path = await invitationPath(mimir)
  const reply = await submit(mimir, path, { ...FORM, email: 'other@example.org' })

  assertPage(reply, 400, /cannot be created with these details/)
  assert.match(reply.body, /<form method="post">/)
})

test('the confirmation link of the mail opens a page', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  const registered = await submit(mimir, await invitationPath(mimir), FORM)
  assertPage(registered, 200, /Confirm your e-mail address/)
  const link = `/verify-email?token=${await mail.token(FORM.email)}`

  assertPage(await mimir.rest().get(link), 200, /administrator has to approve/)
  assertPage(await mimir.rest().get(link), 400, /not valid, was used, or has expired/)
  assertPage(await mimir.rest().get('/verify-email'), 400, /no token/)
})

test('the address that confirms for programs shows a browser the same page', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: { ...mail.env, MIMIR_RATE_LIMITS: 'auth-verify=6/1m' } })
  await submit(mimir, await invitationPath(mimir), FORM)
  const path = '/api/auth/verify-email'
  const browser = mimir.rest().with({ accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })

  assertPage(await browser.get(path), 400, /no token/)
  assertPage(await browser.get(`${path}?token=${'x'.repeat(300)}`), 400, /<html/)
  const link = `${path}?token=${await mail.token(FORM.email)}`
  assertPage(await browser.get(link), 200, /administrator has to approve/)
  assertPage(await browser.get(link), 400, /not valid, was used, or has expired/)
  const program = await mimir.rest().with({ accept: 'application/json' }).get(link)
  assert.equal(program.body.error, 'invalid_or_expired_token')
  assert.equal((await mimir.rest().get(link)).body.error, 'invalid_or_expired_token')
  assertPage(await browser.get(link), 429, /rate_limited/)
})

test('a link for a new password that is none opens no form, and sets none', async () => {
  await using mimir = await boot()
  const browser = mimir.rest().with({ 'content-type': 'application/x-www-form-urlencoded' })
  const form = 'newPassword=another+long+one'
  for (const reply of [
    await browser.get('/reset-password'),
    await browser.get('/reset-password?token=unknown'),
    await browser.send('POST', '/reset-password', form),
    await browser.send('POST', '/reset-password?token=unknown', form),
  ]) {
    assertPage(reply, 400, /not valid, was used, or has expired/)
    assert.doesNotMatch(reply.body, /<form/)
  }
})

test('the front page says what this is and invites nobody', async () => {
  await using mimir = await boot()
  const front = await mimir.rest().get('/')
  assertPage(front, 200, /private messaging server/)
  assert.doesNotMatch(front.body, /<form/)
})
