import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { CERTIFICATE, KEY } from '../harness/certificate.ts'
import { eventually } from '../harness/eventually.ts'
import { MailServer } from '../harness/mail-server.ts'
import { freePorts } from '../harness/ports.ts'
import { assertDone } from '../harness/rest.ts'

const ADDRESS = 'ada@example.org'
const certificate = { cert: CERTIFICATE, key: KEY }

test('`mail test` sends a mail', async () => {
  await using mail = await new MailServer().start()
  await using mimir = await boot({ mail })
  const result = await mimir.command('mail.test', { to: ADDRESS })
  assert.deepEqual(result, {
    to: ADDRESS,
    server: `127.0.0.1:${mail.env.SMTP_PORT}`,
    ok: true,
    failure: null,
    detail: null,
    mend: null,
  })
  assert.match((await mail.letter(ADDRESS)).text, /can send e-mail/)
})

test('`mail test` says what keeps mail from being sent', async () => {
  await using mail = await new MailServer().start()
  await using untrusted = await new MailServer({ certificate }).start()
  await using strict = await new MailServer({ refusesSignIn: true }).start()
  const [closed] = await freePorts(1)
  const faults: [failure: string, mend: RegExp, env: Record<string, string>][] = [
    ['unreachable', /SMTP_PORT/, { ...mail.env, SMTP_PORT: String(closed) }],
    ['tls_failed', /certificate/, untrusted.env],
    ['unauthorized', /SMTP_PASSWORD/, { ...strict.env, SMTP_USER: 'ada', SMTP_PASSWORD: 'wrong' }],
  ]
  for (const [failure, mend, env] of faults) {
    await using mimir = await boot({ env })
    const result = await mimir.command('mail.test', { to: ADDRESS })
    assert.deepEqual([result.ok, result.failure], [false, failure], failure)
    assert.match(result.mend, mend)
  }
  mail.refuses = true
  await using mimir = await boot({ mail })
  const { failure, detail } = await mimir.command('mail.test', { to: ADDRESS })
  assert.equal(failure, 'address_refused')
  assert.match(detail, /nobody is called/)
  assert.deepEqual(mail.letters, [])
})

test('the log says why the mail server cannot be reached', async () => {
  const [closed] = await freePorts(1)
  const env = { ...new MailServer().env, SMTP_PORT: String(closed) }
  await using mimir = await boot({ env })
  const { token } = await mimir.command('invite.create')
  const account = { username: 'ann', email: ADDRESS, password: 'correct horse' }
  const registration = { ...account, invitationToken: token }
  assertDone(await mimir.rest().post('/api/auth/register', registration))
  await eventually(
    () => mimir.logged.some((line) => line.includes('ECONNREFUSED')),
    'the reason was not logged',
  )
})

test('`mail test` needs a mail server and an address', async () => {
  await using mimir = await boot()
  const to = ADDRESS
  await assert.rejects(mimir.command('mail.test', { to }), { code: 'mail_not_configured' })
  await assert.rejects(mimir.command('mail.test', { to: 'ada' }), { code: 'validation_failed' })
})
