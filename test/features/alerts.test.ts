import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ALERT_RULES } from '../../src/features/metrics/alert-rules.ts'
import { MINUTE } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { byKey, makeKey } from '../harness/keys.ts'
import { MailServer } from '../harness/mail-server.ts'
import { assertDone } from '../harness/rest.ts'

/** Accepts or refuses alerts. */
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

/** The disk is that of the machine running the tests. */
const isOurs = ({ alert }: { alert: string }) => alert !== 'disk_full'

/** Alerts that have started or ended so far, according to the audit log. */
async function toldBy(mimir: Appliance): Promise<string[]> {
  const events = await mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .select('details')
    .where('type', '=', 'security.alert')
    .orderBy('id')
    .execute()
  return events
    .map(({ details }) => JSON.parse(details))
    .filter(isOurs)
    .map(({ alert, state }) => `${alert} ${state}`)
}

/** Runs one check per minute. */
async function look(mimir: Appliance, minutes = 1): Promise<void> {
  for (let n = 0; n < minutes; n++) {
    await mimir.app.jobs.runNow('chain-audit-events')
    await mimir.app.jobs.runNow('watch-alerts')
    mimir.clock.advance(MINUTE)
  }
}

test('the administrator is told once when something begins and once when it is over', async () => {
  await using mail = await new MailServer().start()
  await using receiver = await new AlertReceiver().start()
  const env = { MIMIR_ALERT_EMAIL: 'ops@example.org', MIMIR_ALERT_WEBHOOK_URL: receiver.url }
  await using mimir = await boot({ jobs: 'by hand', env, mail })
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
  assert.deepEqual(receiver.taken.filter(isOurs), [])
  receiver.status = 204
  await look()
  const told = () => receiver.taken.filter(isOurs).map(({ alert, state }) => `${alert} ${state}`)
  assert.deepEqual(told(), ['sign_ins_fail firing', 'sign_ins_guessed firing'])
  await mail.letter('ops@example.org', 1, /More than 10 % of the sign-ins/)

  // A quarter of an hour of successful sign-ins.
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
  assert.deepEqual(told(), [
    'sign_ins_fail firing',
    'sign_ins_guessed firing',
    'sign_ins_fail resolved',
    'sign_ins_guessed resolved',
  ])
  assert.deepEqual(await toldBy(mimir), told())
  assert.deepEqual(mimir.logged.filter((line) => line.includes('wrong')).length, 0)
})

test('five failed sign-ins within a quarter of an hour are told, four are not', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  await mimir.person('alice')
  await look(mimir)
  const fail = async (times: number) => {
    for (let n = 0; n < times; n++) {
      const wrong = { usernameOrEmail: 'alice', password: 'wrong' }
      await mimir.rest().post('/api/auth/login', wrong)
    }
    await look(mimir)
  }
  await fail(4)
  assert.deepEqual(await toldBy(mimir), [])
  await fail(1)
  assert.deepEqual(await toldBy(mimir), ['sign_ins_guessed firing'])
  await look(mimir, 15)
  assert.deepEqual(await toldBy(mimir), ['sign_ins_guessed firing', 'sign_ins_guessed resolved'])
})

test('refresh tokens that are refused and slow checks of credentials are told', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  await look(mimir)
  for (let n = 0; n < 20; n++) {
    await mimir.rest().post('/api/auth/refresh', { refreshToken: `unknown-${n}` })
    mimir.app.ctx.metrics.authSeconds.observe(n < 18 ? 0.002 : 0.8)
  }
  await look(mimir)
  assert.deepEqual(await toldBy(mimir), ['refreshes_fail firing', 'credential_checks_slow firing'])
})

test('an export of more than 10,000 records is told', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const alice = await mimir.person('alice')
  const { db, ids } = mimir.app.ctx
  const rows = Array.from({ length: 10_001 }, () => ({
    id: ids.next(),
    tenant_id: 'default',
    user_id: alice.id,
    purpose: 'newsletter',
    version: '1',
    source: 'api',
    given_at: new Date(mimir.clock.now()).toISOString(),
    withdrawn_at: null,
  }))
  for (let start = 0; start < rows.length; start += 1000) {
    const page = rows.slice(start, start + 1000)
    await db.transaction((tx) => tx.insertInto('consents').values(page).execute())
  }
  await look(mimir)
  const request = { currentPassword: alice.password }
  assert.equal((await alice.rest.post('/api/privacy/export', request)).status, 202)
  await mimir.app.jobs.runNow('make-exports')
  await look(mimir)
  assert.deepEqual(await toldBy(mimir), ['large_exports firing'])
})

test('sessions that are revoked far more often than usual are told', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const alice = await mimir.person('alice')
  const revoke = async (times: number) => {
    for (let n = 0; n < times; n++) {
      assertDone(await alice.rest.delete('/api/me/sessions'), 204)
    }
    await look(mimir)
  }
  await look(mimir)
  await revoke(10)
  assert.deepEqual(await toldBy(mimir), [])
  await revoke(1)
  assert.deepEqual(await toldBy(mimir), ['many_sessions_revoked firing'])
  await look(mimir, 80)
  assert.equal((await toldBy(mimir)).at(-1), 'many_sessions_revoked resolved')
})

test('an API key that is used far more than usual is told, one that is always busy is not', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const { id: busy } = await makeKey(mimir, 'busy')
  const { id: quiet, key } = await makeKey(mimir, 'quiet')
  const { keyRequests } = mimir.app.ctx.metrics
  for (let minute = 0; minute < 8 * 60; minute++) {
    keyRequests.add(busy, 30)
    await look(mimir)
  }
  assert.deepEqual(await toldBy(mimir), [])
  assert.equal((await byKey(mimir, key).get('/api/me')).status, 200)
  keyRequests.add(quiet, 1000)
  await look(mimir)
  assert.deepEqual(await toldBy(mimir), ['api_key_busy firing'])
})

test('Prometheus has a rule for every alert of the built-in notifier', () => {
  const file = new URL('../../deploy/prometheus/mimir.rules.yml', import.meta.url)
  const named = new Set(readFileSync(file, 'utf8').match(/(?<=- alert: )\S+/g))
  const wanted = ALERT_RULES.map(({ name }) => {
    const words = name.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    return `Mimir${words.join('')}`
  })
  assert.deepEqual(
    [...named].filter((name) => name !== 'MimirDown' && name !== 'MimirClosed').sort(),
    wanted.sort(),
  )
})

test('a disk with less than a fifth of it free is told until a quarter is', () => {
  const rule = ALERT_RULES.find(({ name }) => name === 'disk_full')
  assert.deepEqual([rule?.fires, rule?.clears], [80, 75])
})
