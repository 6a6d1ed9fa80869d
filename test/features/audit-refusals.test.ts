import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { BoundedCounts } from '../../src/platform/bounded-counts.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { auditOf, byKey } from '../harness/keys.ts'
import { assertDone, assertRefused, type Reply } from '../harness/rest.ts'

interface Denied {
  readonly operation: string
  readonly reason: string
  readonly target: string | null
  readonly actor: string | null
}

async function deniedOf(mimir: Appliance, requestId?: string | null): Promise<Denied[]> {
  const events = await mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .selectAll()
    .where('type', '=', 'access.denied')
    .orderBy('id')
    .execute()
  return events
    .filter((event) => requestId === undefined || event.request_id === requestId)
    .map((event) => {
      assert.equal(event.outcome, 'deny')
      const { operation, target_id: target, actor_id: actor } = event
      return { operation, reason: JSON.parse(event.details).reason, target, actor }
    })
}

test('answers that are alike are recorded with the true reason', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const foreign = await alice.dm(bob)
  const left = await alice.group('left', bob, cleo)
  assertDone(await cleo.rest.delete(`/api/conversations/${left}/members/${cleo.id}`), 204)
  const truths = [
    [randomUUID(), 'unknown_conversation'],
    [foreign, 'foreign_conversation'],
    [left, 'former_member'],
  ] as const

  for (const [id, reason] of truths) {
    const attempts: [operation: string, reply: Promise<Reply>][] = [
      ['GET /api/conversations/{id}', cleo.rest.get(`/api/conversations/${id}`)],
      ['GET /api/messages/{conversationId}', cleo.rest.get(`/api/messages/${id}`)],
      [
        'POST /api/messages/{conversationId}',
        cleo.rest.post(`/api/messages/${id}`, { content: 'let me in' }),
      ],
      ['POST /api/conversations/{id}/read', cleo.rest.post(`/api/conversations/${id}/read`)],
    ]
    for (const [operation, attempt] of attempts) {
      const { status, headers } = await attempt
      assert.equal(status, 403)
      const expected = { operation, reason, target: id, actor: cleo.id }
      assert.deepEqual(await deniedOf(mimir, headers.get('x-request-id')), [expected])
    }
  }
})

test('of messages too, which are refused alike', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const foreign = await alice.dm(bob)
  const { id } = await alice.say(foreign, 'mine')
  const unknown = randomUUID()
  for (const [message, reason, target] of [
    [id, 'foreign_conversation', foreign],
    [unknown, 'unknown_message', unknown],
  ] as const) {
    const { status, headers } = await cleo.rest.delete(`/api/messages/${message}`)
    assert.equal(status, 403)
    const operation = 'DELETE /api/messages/{id}'
    const expected = { operation, reason, target, actor: cleo.id }
    assert.deepEqual(await deniedOf(mimir, headers.get('x-request-id')), [expected])
  }
})

test('the hub’s refusals are recorded as REST’s are', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const stranger = await mimir.person('stranger')
  const foreign = await alice.dm(bob)
  const sent = await alice.say(foreign, 'mine')
  const unknown = randomUUID()
  const strangers = await stranger.connect()
  const bobs = await bob.connect()

  await strangers.assertRefused('not_member', 'SendMessage', foreign, 'x')
  await strangers.assertRefused('not_member', 'SendMessage', unknown, 'x')
  await strangers.assertRefused('not_member', 'MarkConversationRead', foreign)
  await strangers.assertRefused('not_friends', 'OfferCall', alice.id, 'sdp')
  await bobs.assertRefused('forbidden', 'DeleteMessage', sent.id)
  // Also for an invocation that wants no completion.
  await strangers.connection.send('SendMessage', foreign, 'x')

  const denied = await eventually(async () => {
    const all = await deniedOf(mimir)
    return all.length === 6 && all
  }, 'not every refusal was recorded')
  const by = { actor: stranger.id }
  const send = { ...by, operation: 'hub:SendMessage' }
  const read = { ...by, operation: 'hub:MarkConversationRead' }
  const foreignly = { reason: 'foreign_conversation', target: foreign }
  assert.deepEqual(denied, [
    { ...send, ...foreignly },
    { ...send, reason: 'unknown_conversation', target: unknown },
    { ...read, ...foreignly },
    { ...by, operation: 'hub:OfferCall', reason: 'not_friends', target: null },
    {
      ...{ operation: 'hub:DeleteMessage', actor: bob.id },
      ...{ reason: 'not_the_sender', target: sent.id },
    },
    { ...send, ...foreignly },
  ])
})

test('a refusal for a role, a missing right or a closed account says which it was', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dora = await mimir.person('dora')
  const group = await alice.group('duo', bob)
  const friendKey = await bob.friendKey()
  const asked = assertDone(await dora.rest.post('/api/friends/requests', { friendKey }), 201)
  const eve = await mimir.person('eve')
  await mimir.command('user.suspend', { user: 'eve' })
  const login = { usernameOrEmail: 'eve', password: eve.password }

  const attempts: [attempt: Promise<Reply>, reason: string, target: string | null][] = [
    [bob.rest.patch(`/api/conversations/${group}`, { name: 'x' }), 'role_too_low', group],
    [bob.rest.get('/api/admin/users/pending'), 'without users:read', null],
    [bob.rest.post('/api/admin/invitations'), 'without invites:write', null],
    [bob.rest.get(`/api/friends/${dora.id}/presence`), 'not_friends', null],
    [dora.rest.post(`/api/friends/requests/${asked.id}/accept`), 'not_the_addressee', null],
    [mimir.rest().post('/api/auth/login', login), 'account_not_active', eve.id],
  ]
  for (const [attempt, reason, target] of attempts) {
    const { status, headers } = await attempt
    assert.equal(status, 403)
    const [denied, ...more] = await deniedOf(mimir, headers.get('x-request-id'))
    assert.deepEqual([denied?.reason, denied?.target], [reason, target])
    assert.deepEqual(more, [])
  }
})

test('a failed sign-in and a stolen refresh token are recorded', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const login = (usernameOrEmail: string) =>
    mimir.rest().post('/api/auth/login', { usernameOrEmail, password: 'wrong' })
  const refresh = () => mimir.rest().post('/api/auth/refresh', { refreshToken: alice.refreshToken })

  const wrong = await login('alice')
  const unknown = await login('nobody')
  const next = assertDone(await refresh())
  assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken: next.refreshToken }))
  const reused = await refresh()

  const typesOf = async ({ headers }: Reply) => {
    const events = await mimir.app.ctx.db.read
      .selectFrom('audit_events')
      .selectAll()
      .where('request_id', '=', headers.get('x-request-id'))
      .execute()
    return events.map(({ type, outcome, target_id: id, details }) => {
      return [type, outcome, id, JSON.parse(details).reason]
    })
  }
  assert.deepEqual(await typesOf(wrong), [['session.refused', 'deny', alice.id, 'wrong_password']])
  assert.deepEqual(await typesOf(unknown), [['session.refused', 'deny', null, 'unknown_account']])
  assert.deepEqual(await typesOf(reused), [['session.token_reused', 'deny', alice.id, undefined]])
})

test('of a caller with a network of version 6 as many refusals are recorded as of an address', async () => {
  await using mimir = await boot({ env: { MIMIR_TRUSTED_PROXIES: '127.0.0.1' } })
  for (let n = 0; n < 40; n++) {
    const rest = byKey(mimir, 'mimir_nonsense').with({ 'x-forwarded-for': `2001:db8:1:2::${n}` })
    assertRefused(await rest.get('/api/me'), 401, 'invalid_token')
  }
  const denied = await auditOf(mimir, 'access.denied')
  assert.equal(denied.length, 30)
})

test('of refusals that were left out so many callers’ are counted, and no more', () => {
  const counts = new BoundedCounts(2)
  for (const caller of ['a', 'b', 'a', 'c', 'c']) counts.add(caller)
  assert.deepEqual(
    ['a', 'b', 'c', 'c'].map((caller) => counts.take(caller)),
    [0, 1, 2, 0],
  )
})
