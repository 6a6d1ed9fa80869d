import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY, HOUR, MINUTE } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { MailServer } from '../harness/mail-server.ts'
import { assertDone, type Rest } from '../harness/rest.ts'

const EMAIL = 'ann@example.org'

async function register(
  mimir: Appliance,
  rest: Rest = mimir.rest(),
  username = 'ann',
): Promise<void> {
  const { token: invitationToken } = await mimir.command('invite.create')
  const email = `${username}@example.org`
  const account = { invitationToken, email, username, password: 'correct horse' }
  assertDone(await rest.post('/api/auth/register', account))
}

const queued = (mimir: Appliance) =>
  mimir.app.ctx.db.read.selectFrom('mail_queue').selectAll().execute()

const logged = (mimir: Appliance, words: string) =>
  eventually(() => mimir.logged.some((line) => line.includes(words)), `not logged: ${words}`)

/** How often a letter was postponed. */
const postponed = (mimir: Appliance) =>
  mimir.logged.filter((line) => line.includes('trying again later')).length

/** Runs the queue until it is empty. */
const emptied = (mimir: Appliance) =>
  eventually(async () => {
    await mimir.app.jobs.runNow('send-mail')
    return (await queued(mimir)).length === 0
  }, 'letters stayed in the queue')

test('a letter that a busy server does not take is tried again later', async () => {
  await using mail = await new MailServer().start()
  mail.busy = true
  await using mimir = await boot({ env: mail.env })
  mimir.clock.stop()
  await register(mimir)
  await logged(mimir, 'trying again later')
  mail.busy = false

  const [waiting] = await queued(mimir)
  assert.equal(waiting?.attempts, 1)
  // Not due yet, so nothing is offered.
  await mimir.app.jobs.runNow('send-mail')
  assert.equal(mail.offered, 1)
  mimir.clock.advance(MINUTE)
  await emptied(mimir)
  await mail.letter(EMAIL)
  assert.equal(mail.offered, 2)
})

test('a letter that a mail server takes its time over holds up no other', async () => {
  await using mail = await new MailServer().start()
  mail.holds = EMAIL
  await using mimir = await boot({ env: mail.env })
  await register(mimir)
  await eventually(() => mail.offered === 1, 'the first letter was not offered')
  for (const name of ['bob', 'cleo']) {
    await register(mimir, mimir.rest(), name)
    await mail.letter(`${name}@example.org`)
  }
  assert.deepEqual(
    mail.letters.map(({ to }) => to),
    ['bob@example.org', 'cleo@example.org'],
  )
  mail.release()
  await mail.letter(EMAIL)
  await eventually(async () => (await queued(mimir)).length === 0, 'letters stayed in the queue')
})

test('a letter that is being sent is not sent again because the clock is set forward', async () => {
  await using mail = await new MailServer().start()
  mail.holds = EMAIL
  await using mimir = await boot({ env: mail.env })
  await register(mimir)
  await eventually(() => mail.offered === 1, 'the first letter was not offered')
  mimir.clock.advance(HOUR)
  await register(mimir, mimir.rest(), 'bob')
  await mail.letter('bob@example.org')
  mail.release()
  await emptied(mimir)
  assert.equal(mail.offered, 2)
})

test('the pauses grow, and after a day a letter is given up', async () => {
  await using mail = await new MailServer().start()
  mail.busy = true
  await using mimir = await boot({ env: mail.env })
  mimir.clock.stop()
  await register(mimir)
  for (const attempts of [1, 2, 3, 4]) {
    await eventually(async () => {
      await mimir.app.jobs.runNow('send-mail')
      const [row] = await queued(mimir)
      const left = Date.parse(row?.next_try_at ?? '') - mimir.clock.now()
      const isDone = row?.attempts === attempts && postponed(mimir) === attempts
      const nominal = 5000 * 2 ** (attempts - 1)
      return isDone && left > nominal * 0.5 && left < nominal * 1.3
    }, `try ${attempts} was not followed by its pause`)
    mimir.clock.advance(HOUR)
  }
  mimir.clock.advance(DAY)
  await emptied(mimir)
  await logged(mimir, 'was given up on')
  assert.equal(mail.letters.length, 0)
  assert.ok(!mimir.logged.some((line) => line.includes(EMAIL)))
})

test('a mailbox that is not there is not tried again', async () => {
  await using mail = await new MailServer().start()
  mail.refuses = true
  await using mimir = await boot({ env: mail.env })
  await register(mimir)

  await logged(mimir, 'was given up on')
  await emptied(mimir)
  mimir.clock.advance(HOUR)
  await mimir.app.jobs.runNow('send-mail')
  assert.equal(mail.offered, 1)
})

test('what was queued while the mail server was gone is sent after a restart', async () => {
  await using mail = await new MailServer().start()
  mail.busy = true
  await using mimir = await boot({ env: mail.env })
  await register(mimir)
  await logged(mimir, 'trying again later')
  await mimir.app.close()
  mail.busy = false
  mimir.clock.advance(HOUR)
  await mimir.start()

  await emptied(mimir)
  assert.match((await mail.letter(EMAIL)).text, /verify-email\?token=/)
})

test('a letter that a dead process had in its hands is sent by the next one', async () => {
  await using mail = await new MailServer().start()
  mail.busy = true
  await using mimir = await boot({ env: mail.env })
  await register(mimir)
  await logged(mimir, 'trying again later')
  // The state that a process killed while sending leaves.
  const inHands = new Date(mimir.clock.now() + 3 * MINUTE).toISOString()
  await mimir.app.ctx.db.transaction((tx) =>
    tx.updateTable('mail_queue').set({ next_try_at: inHands }).execute(),
  )
  mail.busy = false
  mimir.clock.advance(2 * MINUTE)
  await mimir.app.jobs.runNow('send-mail')
  assert.equal((await queued(mimir)).length, 1)
  mimir.clock.advance(2 * MINUTE)
  await emptied(mimir)
  await mail.letter(EMAIL)
})

test('two that work on one queue send each letter once', async () => {
  await using mail = await new MailServer().start()
  mail.busy = true
  await using mimir = await boot({ env: mail.env })
  for (let n = 0; n < 13; n++) await register(mimir, mimir.rest(), `ann${n}`)
  await eventually(() => postponed(mimir) === 13, 'not every letter was offered')
  mail.busy = false
  mimir.clock.advance(HOUR)
  const { createMailer } = await import('../../src/outbound/mail.ts')
  const { ctx } = mimir.app
  if (!ctx.config.smtp) throw new Error('no mail server is set')
  const other = createMailer({ ...ctx, smtp: ctx.config.smtp })
  await eventually(async () => {
    other.wake()
    await mimir.app.jobs.runNow('send-mail')
    return (await queued(mimir)).length === 0
  }, 'letters stayed')
  await other.close(1000)
  assert.equal(mail.letters.length, 13)
  const ids = mail.letters.map(({ headers }) => /^message-id: (\S+)/im.exec(headers)?.[1])
  assert.equal(new Set(ids).size, 13)
})

test('nothing of a letter can be read in the store', async () => {
  await using mail = await new MailServer().start()
  mail.busy = true
  await using mimir = await boot({ env: mail.env })
  await register(mimir)
  await logged(mimir, 'trying again later')

  const [row] = await queued(mimir)
  const stored = Buffer.concat([row?.sealed ?? Buffer.alloc(0), Buffer.from(JSON.stringify(row))])
  for (const secret of [EMAIL, 'token=', 'Confirm']) assert.ok(!stored.includes(secret), secret)
  // The key that seals it stays as long as it is needed.
  const old = mimir.app.ctx.keyring.current('message').id
  await mimir.command('key.rotate', { purpose: 'message' })
  await assert.rejects(mimir.command('key.retire', { id: old }), { code: 'key_in_use' })
  mail.busy = false
  mimir.clock.advance(HOUR)
  await emptied(mimir)
  await mimir.command('key.retire', { id: old })
})

test('a letter is written in the language of the browser, as text and as HTML', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ env: mail.env })
  await register(mimir, mimir.rest().with({ 'accept-language': 'de, tr-TR;q=0.9, en;q=0.5' }))
  const turkish = await mail.letter(EMAIL)
  assert.match(turkish.text, /Merhaba ann,/)
  assert.match(turkish.html, /<html lang="tr">[\s\S]*e-posta adresinizi doğrulamak/)
  const [link] = /http\S+token=[\w-]{43}/.exec(turkish.text) ?? []
  assert.ok(link && turkish.html.includes(`href="${link}"`), turkish.html)
  assert.doesNotMatch(turkish.html, /<script|<img|<link/)

  for (const [n, header] of ['tr;q=0.2, en', 'tr;q=0', 'xx', ',;q=', ''].entries()) {
    const rest = mimir.rest().with({ 'accept-language': header })
    // Only so many links may be open at a time.
    mimir.clock.advance(30 * MINUTE)
    assertDone(await rest.post('/api/auth/resend-verification', { email: EMAIL }), 202)
    assert.match((await mail.letter(EMAIL, n + 2)).text, /Hello ann,/, header)
  }
})
