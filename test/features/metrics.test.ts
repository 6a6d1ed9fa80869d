import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { DAY } from '../../src/platform/clock.ts'
import { Tally } from '../../src/platform/metrics.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { HubClient } from '../harness/hub.ts'
import { byKey, makeKey } from '../harness/keys.ts'
import { callTool } from '../harness/mcp.ts'
import { freePorts } from '../harness/ports.ts'
import { assertDone } from '../harness/rest.ts'

/** The values of a metric by label set, as printed. */
async function scrape(port: number, token?: string) {
  const headers = token ? { authorization: `Bearer ${token}` } : {}
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers })
  const text = await response.text()
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? []
    if (name) values.set(name, Number(value))
  }
  return { status: response.status, text, values }
}

test('metrics count what happens, by names out of closed sets', async () => {
  const [port = 0] = await freePorts(1)
  const env = {
    MIMIR_METRICS_LISTEN: `127.0.0.1:${port}`,
    MIMIR_RATE_LIMITS: 'push-test=1/1h,auth-login=100/1h,auth-register=100/1h',
  }
  await using mimir = await boot({ jobs: 'by hand', env })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const hub = await bob.connect()
  await alice.connect()
  await alice.say(dm, 'hello')
  await hub.event('MessageReceived')
  await hub.assertRefused('not_member', 'SendMessage', alice.id, 'x')
  await mimir.rest().post('/api/auth/login', { usernameOrEmail: 'alice', password: 'wrong' })
  const { refreshToken } = await alice.signIn()
  for (const token of [refreshToken, 'unknown']) {
    await mimir.rest().post('/api/auth/refresh', { refreshToken: token })
  }
  const service = await makeKey(mimir, 'service')
  await byKey(mimir, service.key).get('/api/me')
  await byKey(mimir, service.key).get('/api/me/sessions')
  await byKey(mimir, `${service.key}x`).get('/api/me')
  await callTool(byKey(mimir, `${service.key}x`), 'todo', { operation: 'list' })
  await mimir.rest('garbage').get('/api/me')
  await assert.rejects(new HubClient(mimir.url, 'garbage').start())
  await mimir
    .rest()
    .with({ cookie: `mimir_session=${'x'.repeat(43)}` })
    .get('/api/me')
  await mimir.rest().get('/api/me')
  for (let n = 0; n < 3; n++) await alice.rest.post(`/api/me/devices/${alice.id}/test`)
  const { db } = mimir.app.ctx
  await db.transaction((tx) =>
    tx
      .updateTable('messages')
      .set({ sealed: Buffer.alloc(40) })
      .execute(),
  )
  assertDone(await alice.rest.get(`/api/messages/${dm}`))
  await mimir.app.jobs.runNow('chain-audit-events')

  const { status, text, values } = await scrape(port)
  assert.equal(status, 200)
  const expected: [string, number][] = [
    ['mimir_hub_connections', 2],
    ['mimir_hub_users', 2],
    ['mimir_events_total{name="MessageReceived"}', 1],
    ['mimir_hub_invocations_total{method="SendMessage",outcome="not_member"}', 1],
    ['mimir_auth_login_total{provider="local",outcome="success"}', 3],
    ['mimir_auth_login_total{provider="local",outcome="failure"}', 1],
    ['mimir_auth_refresh_total{outcome="success"}', 1],
    ['mimir_auth_refresh_total{outcome="failure"}', 1],
    [`mimir_apikey_requests_total{key_id="${service.id}"}`, 2],
    ['mimir_auth_failures_total{reason="invalid_token"}', 2],
    // By access token, at the hub, and by cookie.
    ['mimir_auth_failures_total{reason="unauthorized"}', 3],
    ['mimir_ratelimit_rejected_total{class="push-test"}', 2],
    ['mimir_messages_unreadable_total', 1],
    ['mimir_http_requests_total{method="POST /api/messages/{conversationId}",status="201"}', 1],
    ['mimir_audit_gap', 0],
  ]
  for (const [name, value] of expected) assert.equal(values.get(name), value, `${name}\n${text}`)
  const count = values.get('mimir_http_request_seconds_count') ?? 0
  assert.ok(count > 10)
  assert.equal(values.get('mimir_http_request_seconds_bucket{le="+Inf"}'), count)
  assert.ok((values.get('mimir_auth_validation_seconds_count') ?? 0) > 5)
  assert.ok((values.get('mimir_disk_free_bytes') ?? 0) > 0)
  assert.ok(values.has('process_resident_memory_bytes'))
  for (const secret of [alice.id, bob.id, dm, 'alice']) assert.ok(!text.includes(secret), secret)
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404)
  assert.equal((await mimir.rest().get('/metrics')).status, 404, 'not on the public listener')
})

test('metrics ask for their token, and an address of others needs one', async () => {
  const [port = 0] = await freePorts(1)
  const token = 'a-token-for-the-metrics'
  const env = { MIMIR_METRICS_LISTEN: `127.0.0.1:${port}`, MIMIR_METRICS_TOKEN: token }
  await using mimir = await boot({ jobs: 'by hand', env })
  assert.equal((await scrape(port)).status, 401)
  assert.equal((await scrape(port, `${token}x`)).status, 401)
  assert.equal((await scrape(port, token)).status, 200)
  assert.ok(mimir.url)
  const open = boot({ jobs: 'by hand', env: { MIMIR_METRICS_LISTEN: '0.0.0.0:0' } })
  await assert.rejects(open, /MIMIR_METRICS_TOKEN/)
})

test('metrics tell of sinks that lag behind and of a server that is closed', async () => {
  const [port = 0] = await freePorts(1)
  const env = {
    MIMIR_METRICS_LISTEN: `127.0.0.1:${port}`,
    MIMIR_AUDIT_LOG_DESTINATION: 'syslog',
    MIMIR_AUDIT_SYSLOG: '127.0.0.1:9',
  }
  await using mimir = await boot({ jobs: 'by hand', env })
  await mimir.person('alice')
  await mimir.app.jobs.runNow('chain-audit-events')
  mimir.clock.advance(60_000)
  await mimir.command('lockdown.start', { mode: 'read-only' })
  await eventually(async () => {
    const { values } = await scrape(port)
    const lag = values.get('mimir_audit_sink_lag_seconds{sink="syslog"}') ?? 0
    return lag >= 60 && values.get('mimir_closed{reason="read-only"}') === 1
  }, 'the metrics do not tell')
})

test('every metric that the rules for Prometheus name is there', async () => {
  const [port = 0] = await freePorts(1)
  await using mimir = await boot({
    jobs: 'by hand',
    env: { MIMIR_METRICS_LISTEN: `127.0.0.1:${port}` },
  })
  // Normally read from the certificate an hour after the start.
  mimir.app.ctx.metrics.certificateEnds = 0
  const file = new URL('../../deploy/prometheus/mimir.rules.yml', import.meta.url)
  const expressions = readFileSync(file, 'utf8').replaceAll(/^ *#.*$/gm, '')
  const named = new Set(
    expressions.match(/\bmimir_[a-z_]+/g)?.map((name) => name.replace(/_(bucket|count)$/, '')),
  )
  const { text } = await scrape(port)
  const known = new Set(text.match(/(?<=^# TYPE )\S+/gm))
  assert.ok(named.size > 10)
  assert.deepEqual(
    [...named].filter((name) => !known.has(name)),
    [],
  )
})

test('more API keys than the metrics can bear are counted together', () => {
  const tally = new Tally(2)
  for (const key of ['one', 'two', 'three', 'one', 'four']) tally.add(key)
  assert.deepEqual(
    [...tally.entries()],
    [
      ['one', 2],
      ['two', 1],
      ['others', 2],
    ],
  )
})

test('what an export holds is counted', async () => {
  const [port = 0] = await freePorts(1)
  await using mimir = await boot({
    jobs: 'by hand',
    env: { MIMIR_METRICS_LISTEN: `127.0.0.1:${port}` },
  })
  const alice = await mimir.person('alice')
  const request = { currentPassword: alice.password }
  assertDone(await alice.rest.post('/api/privacy/export', request), 202)
  await mimir.app.jobs.runNow('make-exports')
  await mimir.app.jobs.runNow('chain-audit-events')
  const { values } = await scrape(port)
  assert.equal(values.get('mimir_exports_total'), 1)
  const records = values.get('mimir_exports_records_total') ?? 0
  // At least the account and the session.
  assert.ok(records >= 2, String(records))
})

test('what retention deletes is counted by its class, and when it ran is told', async () => {
  const [port = 0] = await freePorts(1)
  const env = { MIMIR_METRICS_LISTEN: `127.0.0.1:${port}`, MIMIR_DATA_RETENTION_ENABLED: 'true' }
  await using mimir = await boot({ jobs: 'by hand', env })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  await alice.say(await alice.dm(bob), 'old')
  mimir.clock.advance(366 * DAY)
  await mimir.app.jobs.runNow('run-retention')
  const { values } = await scrape(port)
  assert.equal(values.get('mimir_retention_deleted_total{class="messages"}'), 1)
  const ran = values.get('mimir_retention_last_success_seconds') ?? 0
  assert.ok(Math.abs(ran - mimir.clock.now() / 1000) < 60, String(ran))
})
