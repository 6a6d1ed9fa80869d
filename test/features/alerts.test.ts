import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { MailServer } from '../harness/mail-server.ts'

/** Takes alerts, or refuses them. */
class AlertReceiver implements AsyncDisposable {
  status = 204
  readonly taken: { alert: string; state: string; text: string }[] = []
  url = ''
  readonly #server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    if (this.status < 300) this.taken.push(JSON.parse(Buffer.concat(parts).toString()))
    response.writeHead(this.status).end()
  })

  async start(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

test('the administrator is told once when something begins and once when it is over', async () => {
  await using mail = await new MailServer().start()
  await using receiver = await new AlertReceiver().start()
  const env = { MIMIR_ALERT_EMAIL: 'ops@example.org', MIMIR_ALERT_WEBHOOK_URL: receiver.url }
  await using mimir = await boot({ env, mail })
  await mimir.person('alice')
  const look = async () => {
    await mimir.app.jobs.runNow('chain-audit-events')
    await mimir.app.jobs.runNow('watch-alerts')
  }
  await look()
  const wrong = { usernameOrEmail: 'alice', password: 'wrong' }
  receiver.status = 503
  for (let n = 0; n < 25; n++) await mimir.rest().post('/api/auth/login', wrong)
  await look()
  await look()
  assert.deepEqual(receiver.taken, [])
  receiver.status = 204
  await look()
  const told = () => receiver.taken.map(({ alert, state }) => `${alert} ${state}`)
  assert.deepEqual(told(), ['sign_ins_fail firing'])
  const letter = await mail.letter('ops@example.org')
  assert.match(letter.text, /More than 10 % of the sign-ins/)

  // A quarter of an hour in which everybody signs in well.
  for (let n = 0; n < 25; n++) {
    const right = { usernameOrEmail: 'alice', password: 'the password of alice' }
    await mimir.rest().post('/api/auth/login', right)
  }
  for (let minute = 0; minute < 14; minute++) await look()
  for (let n = 0; n < 25; n++) {
    const right = { usernameOrEmail: 'alice', password: 'the password of alice' }
    await mimir.rest().post('/api/auth/login', right)
  }
  await look()
  assert.deepEqual(told(), ['sign_ins_fail firing', 'sign_ins_fail resolved'])
  const events = await mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .select('details')
    .where('type', '=', 'security.alert')
    .orderBy('id')
    .execute()
  assert.deepEqual(
    events.map(({ details }) => JSON.parse(details).state),
    ['firing', 'resolved'],
  )
  assert.deepEqual(mimir.logged.filter((line) => line.includes('wrong')).length, 0)
})
