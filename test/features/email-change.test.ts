import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { MailServer } from '../harness/mail-server.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const OLD = 'ann@example.org'
const NEW = 'ann.new@example.org'

const change = (person: Person, email: string, currentPassword = person.password) =>
  person.rest.put('/api/me/email', { email, currentPassword })

const open = (mimir: Appliance, token: string) =>
  mimir.rest().get(`/api/auth/verify-email?token=${token}`)

const emailOf = async (person: Person) => assertDone(await person.rest.get('/api/me')).email

test('the address changes when the link to the new one is opened, and the old one hears of it', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  const ann = await mimir.person('ann')

  assert.equal(assertDone(await change(ann, NEW.toUpperCase()), 202), '')
  const token = await mail.token(NEW)
  assert.equal(await emailOf(ann), OLD)
  assert.equal(assertDone(await open(mimir, token)).status, 'Active')

  assert.equal(await emailOf(ann), NEW)
  const notice = await mail.letter(OLD, 1, /was changed/)
  assert.ok(notice)
  assert.doesNotMatch(notice.text + notice.html, /ann\.new|token=/)
  const login = { usernameOrEmail: NEW, password: ann.password }
  assertDone(await mimir.rest().post('/api/auth/login', login))
  assertRefused(await open(mimir, token), 400, 'invalid_or_expired_token')
})

test('the link is a page for a browser, good for 30 minutes, and the newest one counts', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  const ann = await mimir.person('ann')
  assertDone(await change(ann, 'first@example.org'), 202)
  assertDone(await change(ann, NEW), 202)
  const first = await mail.token('first@example.org')
  assertRefused(await open(mimir, first), 400, 'invalid_or_expired_token')
  const late = await mail.token(NEW)
  mimir.clock.advance(30 * MINUTE)
  assertRefused(await open(mimir, late), 400, 'invalid_or_expired_token')

  const again = { usernameOrEmail: 'ann', password: ann.password }
  const { accessToken } = assertDone(await mimir.rest().post('/api/auth/login', again))
  const body = { email: NEW, currentPassword: ann.password }
  assertDone(await mimir.rest(accessToken).put('/api/me/email', body), 202)
  const { pathname, search } = await mail.link(NEW, 2)
  const page = await mimir.rest().get(pathname + search)
  assert.equal(page.status, 200)
  assert.match(page.body, /address of the account was changed/)
})

test('of two requests at the same moment, one link counts', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  const ann = await mimir.person('ann')
  for (const reply of await Promise.all([change(ann, 'first@example.org'), change(ann, NEW)])) {
    assertDone(reply, 202)
  }
  const open = await mimir.app.ctx.db.read
    .selectFrom('email_tokens')
    .select('new_email')
    .where('purpose', '=', 'change')
    .where('used_at', 'is', null)
    .execute()
  assert.equal(open.length, 1)
})

test('a wrong password changes nothing; a taken address is answered like a free one', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  const [ann, bob] = [await mimir.person('ann'), await mimir.person('bob')]

  assertRefused(await change(ann, NEW, 'wrong'), 400, 'current_password_incorrect')
  assertDone(await change(ann, 'bob@example.org'), 202)
  assertDone(await change(ann, OLD), 202)
  // Both ask for the same free address; the first to open the link gets it.
  assertDone(await change(ann, NEW), 202)
  const annsToken = await mail.token(NEW)
  assertDone(await change(bob, NEW), 202)
  const bobsToken = await mail.token(NEW, 2)
  assertDone(await open(mimir, bobsToken))
  assertRefused(await open(mimir, annsToken), 400, 'invalid_or_expired_token')
  assert.deepEqual([await emailOf(ann), await emailOf(bob)], [OLD, NEW])
  await mail.letter('bob@example.org', 3)
  const toOthers = mail.letters.map(({ to }) => to).filter((to) => to !== NEW)
  // Each got a confirmation and an approval; Bob's old address also got notice of the change.
  assert.deepEqual(toOthers.sort(), [OLD, OLD, ...Array(3).fill('bob@example.org')])
  assert.equal(mail.letters.filter(({ to }) => to === OLD).length, 2)
})

test('a link for a password that went to the old address dies with it', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  const ann = await mimir.person('ann')
  assertDone(await mimir.rest().post('/api/auth/forgot-password', { email: OLD }), 202)
  const token = await mail.token(OLD, 2)
  assertDone(await change(ann, NEW), 202)
  assertDone(await open(mimir, await mail.token(NEW)))

  const body = { token, newPassword: 'taken over by the old address' }
  const reply = await mimir.rest().post('/api/auth/reset-password', body)
  assertRefused(reply, 400, 'invalid_or_expired_token')
})

test('without a mail server the address cannot be confirmed, and the answer says so', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')

  assertRefused(await change(ann, NEW, 'wrong'), 400, 'current_password_incorrect')
  assertRefused(await change(ann, NEW), 409, 'no_mail_server')
  assert.equal(await emailOf(ann), OLD)
})
