import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { HookReceiver, isSigned } from '../harness/hook-receiver.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'

const LOCAL = { MIMIR_OUTBOUND_ALLOW: '127.0.0.1' }
const HOUR = 3_600_000
const DAY = 24 * HOUR

async function hookFor(by: Person, group: string, url: string) {
  const hook = { kind: 'outgoing', name: 'Echo', url }
  return assertDone(await by.rest.post(`/api/conversations/${group}/webhooks`, hook), 201)
}

const statusOf = async (mimir: Appliance, by: Person, group: string) => {
  // A fresh sign-in: the clock may have passed any other's expiry.
  const { accessToken } = await by.signIn()
  return assertDone(await mimir.rest(accessToken).get(`/api/conversations/${group}/webhooks`))[0]
}

/** Waits until a delivery has failed and the next try has its time. */
const failing = (mimir: Appliance, by: Person, group: string) =>
  eventually(async () => (await statusOf(mimir, by, group)).status === 'failing', 'not failing')

async function setUp(mimir: Appliance) {
  // Retries come due when a test says so.
  mimir.clock.stop()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  return { alice, bob, group: await alice.group('team', bob) }
}

test('what is said in the group is sent in order, signed, and not what the bot says itself', async () => {
  await using receiver = await new HookReceiver().start()
  await using mimir = await boot({ env: LOCAL })
  const { alice, bob, group } = await setUp(mimir)
  await alice.say(group, 'before there was a webhook')
  const made = await hookFor(alice, group, `${receiver.url}/in?a=b`)
  const own = { kind: 'incoming', name: 'Echo', botId: made.bot.id }
  const { url } = assertDone(
    await alice.rest.post(`/api/conversations/${group}/webhooks`, own),
    201,
  )
  const first = await alice.say(group, 'one')
  assertDone(await mimir.rest().post(new URL(url).pathname, { content: 'by the bot' }), 201)
  await bob.say(await bob.dm(alice), 'between us')
  await bob.say(group, 'two')
  for (let n = 3; n <= 20; n++) await alice.say(group, `${n}`)
  const last = await receiver.request(20)

  const rest = Array.from({ length: 18 }, (_, n) => `${n + 3}`)
  assert.deepEqual(receiver.contents, ['one', 'two', ...rest])
  assert.equal(receiver.received.length, 20)
  const [one] = receiver.received
  assert.equal(one?.path, '/in?a=b')
  assert.equal(one.headers['content-type'], 'application/json')
  assert.deepEqual(one.body, {
    type: 'message.created',
    timestamp: first.createdAt,
    data: {
      message: first,
      sender: { id: alice.id, username: 'alice' },
      webhook: { id: made.id, name: 'Echo' },
    },
  })
  assert.equal(one.id, first.id)
  assert.ok(receiver.received.every((request) => isSigned(made.secret, request)))
  assert.ok(!isSigned(made.secret, { ...last, text: `${last.text} ` }))
  const age = mimir.clock.now() / 1000 - Number(one.headers['webhook-timestamp'])
  assert.ok(age >= 0 && age < 60, `${age}`)

  const listed = await statusOf(mimir, alice, group)
  assert.deepEqual([listed.status, listed.host], ['active', new URL(receiver.url).host])
  const rows = await mimir.app.ctx.db.read.selectFrom('webhooks').selectAll().execute()
  assert.ok(!JSON.stringify(rows).includes(made.secret))
})

test('a receiver that is away gets everything once it is back, none of it out of order', async () => {
  await using receiver = await new HookReceiver().start()
  await using mimir = await boot({ env: LOCAL })
  const { alice, group } = await setUp(mimir)
  await hookFor(alice, group, receiver.url)
  receiver.answers = [{ status: 204 }, { status: 500 }]
  await alice.say(group, 'one')
  await alice.say(group, 'two')
  await alice.say(group, 'three')
  await receiver.request(2)
  await failing(mimir, alice, group)

  // The retry comes after the delay; Retry-After then lengthens the next one.
  receiver.answers = [{ status: 429, headers: { 'retry-after': '7200' } }]
  mimir.clock.advance(10_000)
  await receiver.request(3)
  const waits = async () => {
    const [row] = await mimir.app.ctx.db.read.selectFrom('webhooks').selectAll().execute()
    return Date.parse(row?.next_try_at ?? '') - mimir.clock.now() > HOUR
  }
  await eventually(waits, 'Retry-After was not heard')
  receiver.answers = []
  mimir.clock.advance(2 * HOUR)
  await receiver.request(5)
  assert.deepEqual(
    receiver.received.map(({ body }) => body.data.message.content),
    ['one', 'two', 'two', 'two', 'three'],
  )
  await eventually(
    async () => (await statusOf(mimir, alice, group)).status === 'active',
    'still failing',
  )
})

test('a receiver that stays away is given up after days, and one that is gone at once', async () => {
  await using receiver = await new HookReceiver().start()
  await using mimir = await boot({ env: LOCAL })
  const { alice, bob, group } = await setUp(mimir)
  receiver.answers = [{ status: 503 }]
  const made = await hookFor(alice, group, receiver.url)
  await alice.say(group, 'one')
  await receiver.request(1)
  await failing(mimir, alice, group)
  await using gone = await new HookReceiver().start()
  gone.answers = [{ status: 410 }]
  const other = await bob.group('other', alice)
  const second = await hookFor(bob, other, gone.url)
  await bob.say(other, 'hello')
  await eventually(
    async () => (await statusOf(mimir, bob, other)).status === 'failed',
    'not given up',
  )

  mimir.clock.advance(3 * DAY + HOUR)
  await eventually(
    async () => (await statusOf(mimir, alice, group)).status === 'failed',
    'not given up',
  )

  const events = await mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .selectAll()
    .where('type', '=', 'webhook.failed')
    .orderBy('id')
    .execute()
  assert.deepEqual(
    events.map(({ target_id, outcome, details }) => [
      target_id,
      outcome,
      JSON.parse(details).reason,
    ]),
    [
      [second.id, 'error', 'status 410'],
      [made.id, 'error', 'status 503'],
    ],
  )
  const sent = receiver.received.length
  receiver.answers = []
  const { accessToken } = await alice.signIn()
  const rest = mimir.rest(accessToken)
  const again = { kind: 'outgoing', name: 'Echo', botId: made.bot.id, url: `${receiver.url}/again` }
  assertDone(await rest.post(`/api/conversations/${group}/webhooks`, again), 201)
  assertDone(await rest.post(`/api/messages/${group}`, { content: 'two' }), 201)
  assert.equal((await receiver.request(sent + 1)).path, '/again')
})

test('a receiver that never answers holds up neither a message nor another webhook', async () => {
  await using slow = await new HookReceiver().start()
  await using quick = await new HookReceiver().start()
  await using mimir = await boot({ env: LOCAL })
  const { alice, group } = await setUp(mimir)
  slow.answers = ['hang']
  await hookFor(alice, group, slow.url)
  await hookFor(alice, group, quick.url)
  for (let n = 0; n < 10; n++) await alice.say(group, `${n}`)
  await quick.request(10)
  assert.equal(slow.received.length, 1)
})

test('once its bot is out, or it is deleted, nothing more is sent; a stop and a start lose nothing', async () => {
  await using receiver = await new HookReceiver().start()
  await using mimir = await boot({ env: LOCAL })
  const { alice, group } = await setUp(mimir)
  const one = await hookFor(alice, group, `${receiver.url}/one`)
  const two = await hookFor(alice, group, `${receiver.url}/two`)
  await alice.say(group, 'first')
  await receiver.request(2)
  assertDone(await alice.rest.delete(`/api/conversations/${group}/members/${one.bot.id}`), 204)
  await alice.say(group, 'second')
  await receiver.request(3)
  await mimir.restart()
  await alice.say(group, 'third')
  await receiver.request(4)
  assert.deepEqual(
    receiver.received.slice(2).map(({ path, body }) => [path, body.data.message.content]),
    [
      ['/two', 'second'],
      ['/two', 'third'],
    ],
  )
  assertDone(await alice.rest.delete(`/api/conversations/${group}/webhooks/${two.id}`), 204)
  await hookFor(alice, group, `${receiver.url}/three`)
  await alice.say(group, 'fourth')
  assert.equal((await receiver.request(5)).path, '/three')
})

test('what is deleted or edited while a slow receiver takes those before it is not sent as it was', async () => {
  await using receiver = await new HookReceiver().start()
  await using mimir = await boot({ env: LOCAL })
  const { alice, group } = await setUp(mimir)
  await hookFor(alice, group, receiver.url)
  receiver.answers = [{ status: 500 }]
  await alice.say(group, 'first')
  await receiver.request(1)
  await failing(mimir, alice, group)
  await alice.say(group, 'second')
  const gone = await alice.say(group, 'a slip')
  const kept = await alice.say(group, 'tipo')
  const before = async () => {
    const rest = mimir.rest((await alice.signIn()).accessToken)
    assertDone(await rest.delete(`/api/messages/${gone.id}`), 204)
    assertDone(await rest.patch(`/api/messages/${kept.id}`, { content: 'typo' }), 204)
    mimir.clock.advance(5_000)
  }
  receiver.answers = [{ status: 204, before }, { status: 204 }]
  mimir.clock.advance(HOUR)
  await receiver.request(4)
  assert.deepEqual(receiver.contents, ['first', 'second', 'typo'])
})

test('what was deleted before it was sent is not sent, and what was edited as it is now', async () => {
  await using receiver = await new HookReceiver().start()
  await using mimir = await boot({ env: LOCAL })
  const { alice, group } = await setUp(mimir)
  await hookFor(alice, group, receiver.url)
  receiver.answers = [{ status: 500 }]
  await alice.say(group, 'first')
  await receiver.request(1)
  await failing(mimir, alice, group)
  const gone = await alice.say(group, 'a slip')
  const kept = await alice.say(group, 'tipo')
  assertDone(await alice.rest.delete(`/api/messages/${gone.id}`), 204)
  assertDone(await alice.rest.patch(`/api/messages/${kept.id}`, { content: 'typo' }), 204)
  receiver.answers = []
  mimir.clock.advance(HOUR)
  await eventually(() => receiver.contents.includes('typo'), 'it was not sent')
  assert.deepEqual(receiver.contents, ['first', 'typo'])
})
