import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MailServer } from '../harness/mail-server.ts'
import { Sandbox } from './harness.ts'

test('mail test reports what the mail server says', async () => {
  await using mail = await new MailServer().start()
  await using sandbox = new Sandbox()
  await sandbox.init()
  const run = (...args: string[]) => sandbox.run(['mail', 'test', ...args], { env: mail.env })
  ;(await sandbox.run(['mail', 'test', 'ada@example.org'])).assertRefused('mail_not_configured')
  ;(await run('ada')).assertRefused('validation_failed')
  const { stdout } = await run('ada@example.org')
  assert.match(stdout, /^127\.0\.0\.1:\d+ accepted the e-mail to ada@example\.org\.\n$/)

  mail.refuses = true
  const refused = await run('ada@example.org')
  refused.assertRefused('mail_test_failed')
  assert.match(refused.stderr, /refuses the sender or the recipient .*nobody is called.*SMTP_FROM/)
  const { failure } = JSON.parse((await run('ada@example.org', '--json')).stdout)
  assert.equal(failure, 'address_refused')
})
