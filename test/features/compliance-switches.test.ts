import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE } from '../../src/platform/clock.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const REGULATED = { MIMIR_ENABLE_HIPAA: 'true', MIMIR_PUBLIC_URL: 'https://chat.example.org' }

test('where the law wants it, a session that nobody uses ends, and one in use does not', async () => {
  await using mimir = await boot({ env: REGULATED })
  const alice = await mimir.person('alice')
  const { accessToken, refreshToken } = await alice.signIn()
  const hub = await mimir.hub(accessToken)
  const endIdle = () => mimir.app.jobs.runNow('end-idle-sessions')
  mimir.clock.advance(10 * MINUTE)
  assertDone(await mimir.rest(accessToken).get('/api/me'))
  await endIdle()
  mimir.clock.advance(10 * MINUTE)
  await endIdle()
  const next = assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken }))
  assert.equal(hub.closed, false)
  mimir.clock.advance(16 * MINUTE)
  await endIdle()
  await eventually(() => hub.closed, 'the connection stayed')
  const late = await mimir.rest().post('/api/auth/refresh', { refreshToken: next.refreshToken })
  assertRefused(late, 401, 'invalid_token')
  const ended = await mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .select('details')
    .where('type', '=', 'session.ended')
    .execute()
  assert.ok(ended.some(({ details }) => JSON.parse(details).reason === 'idle'))
})

test('a use that the store could not record ends no session', async () => {
  await using mimir = await boot({ env: REGULATED })
  const alice = await mimir.person('alice')
  const { accessToken, refreshToken } = await alice.signIn()
  const endIdle = () => mimir.app.jobs.runNow('end-idle-sessions')
  const rename = (from: string, to: string) =>
    mimir.app.ctx.db.transaction(async (tx) => {
      await tx.schema.alterTable(from).renameTo(to).execute()
    })
  mimir.clock.advance(10 * MINUTE)
  assertDone(await mimir.rest(accessToken).get('/api/me'))
  await rename('sessions', 'sessions_away')
  await assert.rejects(endIdle())
  await rename('sessions_away', 'sessions')
  mimir.clock.advance(6 * MINUTE)
  await endIdle()
  assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken }))
})

test('where the law wants it, reading what people wrote is recorded too', async () => {
  await using mimir = await boot({ env: REGULATED })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  await alice.say(dm, 'hello')
  const reply = await bob.rest.get(`/api/messages/${dm}`)
  assertDone(reply)
  const { read } = mimir.app.ctx.db
  const events = await read
    .selectFrom('audit_events')
    .selectAll()
    .where('request_id', '=', reply.headers.get('x-request-id'))
    .execute()
  assert.deepEqual(
    events.map(({ type, actor_id, target_id }) => [type, actor_id, target_id]),
    [['data.read', bob.id, dm]],
  )
  const shown = await mimir.command('retention.show')
  assert.equal(shown.find((row: { class: string }) => row.class === 'audit log').days, 2555)
})

test('browsers are told to come by https alone where that is the public address', async () => {
  await using open = await boot()
  await using secure = await boot({ env: { MIMIR_PUBLIC_URL: 'https://chat.example.org' } })
  const header = async (rest: ReturnType<typeof open.rest>, path: string) =>
    (await rest.get(path)).headers.get('strict-transport-security')
  for (const path of ['/health', '/', '/nothing/here']) {
    assert.equal(await header(secure.rest(), path), 'max-age=31536000', path)
    assert.equal(await header(open.rest(), path), null, path)
  }
})
