import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const INCOMING = { kind: 'incoming', name: 'Deploys' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const pathOf = (url: string) => new URL(url).pathname

test('a webhook brings a bot along: everybody hears of it, and it posts what its address is given', async () => {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: 'https://chat.example.org/mimir' } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('team', bob)
  const device = await bob.connect()
  const made = assertDone(
    await alice.rest.post(`/api/conversations/${group}/webhooks`, INCOMING),
    201,
  )
  assert.match(made.url, /^https:\/\/chat\.example\.org\/mimir\/hooks\/[\w-]{43}$/)
  assert.match(made.bot.username, /^Deploys_bot_[0-9a-f]{12}$/)
  const added = await device.event('ConversationMemberAdded')
  assert.deepEqual(
    [added.member.userId, added.member.displayName, added.member.isBot, added.member.role],
    [made.bot.id, 'Deploys', true, 'Member'],
  )
  const { members } = assertDone(await bob.rest.get(`/api/conversations/${group}`))
  assert.deepEqual(
    members.map(({ username, isBot }: Record<string, unknown>) => [username, isBot]),
    [
      ['alice', undefined],
      ['bob', undefined],
      [made.bot.username, true],
    ],
  )

  const path = pathOf(made.url)
  const anyone = mimir.rest()
  const posted = assertDone(await anyone.post(path, { content: 'built' }), 201)
  assert.equal(posted.conversationId, group)
  const without = path.replace('/mimir', '')
  assertDone(await anyone.post(without, { text: 'as Slack', username: 'x', blocks: [] }), 201)
  const form = anyone.with(FORM)
  const payload = `payload=${encodeURIComponent(JSON.stringify({ text: 'in a form' }))}`
  assertDone(await form.send('POST', path, payload), 201)
  assertDone(await form.send('POST', path, 'text=plain+fields'), 201)
  await device.event('MessageReceived', ({ content }) => content === 'plain fields')
  assert.deepEqual(
    device.all('MessageReceived').map(({ senderId, content }) => [senderId, content]),
    ['built', 'as Slack', 'in a form', 'plain fields'].map((text) => [made.bot.id, text]),
  )

  const repeated = { content: 'once', clientMessageId: 'build-7' }
  const first = assertDone(await anyone.post(path, repeated), 201)
  assert.deepEqual(assertDone(await anyone.post(path, repeated), 200), first)

  const rows = await mimir.app.ctx.db.read.selectFrom('webhooks').selectAll().execute()
  assert.ok(!JSON.stringify(rows).includes(path.split('/').at(-1) as string))
  const [listed] = assertDone(await alice.rest.get(`/api/conversations/${group}/webhooks`))
  assert.equal(listed.url, undefined)
  assert.deepEqual([listed.id, listed.kind, listed.status], [made.id, 'incoming', 'active'])
  assert.equal((await mimir.command('bot.list'))[0].webhooks, 1)
})

test('what is no message is refused, and nothing is stored', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('team', bob)
  const { url } = assertDone(
    await alice.rest.post(`/api/conversations/${group}/webhooks`, INCOMING),
    201,
  )
  const path = pathOf(url)
  const anyone = mimir.rest()
  for (const body of [
    {},
    { content: '' },
    { content: ' ' },
    { text: 7 },
    { content: 'x'.repeat(4001) },
  ]) {
    assertRefused(await anyone.post(path, body), 400, 'validation_failed')
  }
  assertRefused(await anyone.send('POST', path, '{'), 400, 'invalid_json')
  assertRefused(await anyone.with(FORM).send('POST', path, 'payload={'), 400, 'invalid_json')
  assertRefused(await anyone.with(FORM).send('POST', path, 'a=b'), 400, 'validation_failed')
  const large = await anyone.post(path, { content: 'x'.repeat(70_000) })
  assertRefused(large, 413, 'payload_too_large')
  assert.deepEqual(assertDone(await alice.rest.get(`/api/messages/${group}`)), [])
})

test('a deleted webhook, a removed bot and a suspended one are as unknown as any', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('team', bob)
  const path = `/api/conversations/${group}`
  const make = async (body: object) =>
    assertDone(await alice.rest.post(`${path}/webhooks`, body), 201)
  const one = await make(INCOMING)
  const two = await make({ ...INCOMING, name: 'again', botId: one.bot.id })
  const three = await make({ ...INCOMING, name: 'other' })
  assert.equal(two.bot.id, one.bot.id)
  const post = (url: string) => mimir.rest().post(pathOf(url), { content: 'x' })

  assertDone(await alice.rest.delete(`${path}/webhooks/${one.id}`), 204)
  assertRefused(await alice.rest.delete(`${path}/webhooks/${one.id}`), 404, 'not_found')
  assertRefused(await post(one.url), 404, 'not_found')
  assertDone(await post(two.url), 201)
  assertDone(await alice.rest.delete(`${path}/members/${one.bot.id}`), 204)
  assertRefused(await post(two.url), 404, 'not_found')
  // Added again, it is a member, but its old URLs stay closed.
  assertDone(await alice.rest.post(`${path}/members`, { userId: one.bot.id }), 204)
  assertRefused(await post(two.url), 404, 'not_found')
  await mimir.command('user.suspend', { user: three.bot.username })
  assertRefused(await post(three.url), 404, 'not_found')
  assertRefused(await mimir.rest().post('/hooks/guess', { content: 'x' }), 404, 'not_found')
})

test('only the admins of a group have its webhooks in hand, and a direct conversation has none', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const carol = await mimir.person('carol')
  const group = await alice.group('team', bob)
  const path = `/api/conversations/${group}/webhooks`
  const made = assertDone(await alice.rest.post(path, INCOMING), 201)
  for (const who of [bob, carol]) {
    assertRefused(await who.rest.post(path, INCOMING), 403, 'forbidden')
    assertRefused(await who.rest.get(path), 403, 'forbidden')
    assertRefused(await who.rest.delete(`${path}/${made.id}`), 403, 'forbidden')
  }
  const dm = await alice.dm(bob)
  const inDm = `/api/conversations/${dm}/webhooks`
  assertRefused(await alice.rest.post(inDm, INCOMING), 400, 'webhooks_only_in_groups')

  const foreign = { ...INCOMING, botId: bob.id }
  assertRefused(await alice.rest.post(path, foreign), 400, 'bot_not_here')
  const private_ = { kind: 'outgoing', name: 'x', url: 'https://10.0.0.1/hook' }
  assertRefused(await alice.rest.post(path, private_), 400, 'webhook_url_not_allowed')
  const plain = { ...private_, url: 'http://example.org/hook' }
  assertRefused(await alice.rest.post(path, plain), 400, 'webhook_url_not_allowed')
  const { url: _, ...without } = private_
  assertRefused(await alice.rest.post(path, without), 400, 'validation_failed')

  const handed = await alice.rest.patch(`/api/conversations/${group}/members/${made.bot.id}`, {
    role: 'Owner',
  })
  assertRefused(handed, 409, 'new_owner_not_active')
})

test('a key makes no webhook that does more than the key', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('team', bob)
  const keyFor = async (...scopes: string[]) =>
    (await mimir.command('apikey.create', { name: 'k', user: 'alice', scopes })).key
  const path = `/api/conversations/${group}/webhooks`
  const outgoing = { kind: 'outgoing', name: 'x', url: 'https://hooks.example.org/x' }
  const narrow = mimir.rest(await keyFor('conversations:write'))
  assertRefused(await narrow.post(path, outgoing), 403, 'insufficient_permission')
  assertRefused(await narrow.post(path, INCOMING), 403, 'insufficient_permission')
  const wider = mimir.rest(await keyFor('conversations:write', 'messages:read'))
  assert.match(assertDone(await wider.post(path, outgoing), 201).secret, /^whsec_/)
})

test('a service that there is can be added to a group by its admins', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('team', bob)
  const { key, owner } = await mimir.command('apikey.create', { name: 'reporter' })
  const add = (by: typeof alice) =>
    by.rest.post(`/api/conversations/${group}/members`, { userId: owner.id })
  assertRefused(await add(bob), 403, 'forbidden')
  assertDone(await add(alice), 204)
  assertRefused(await add(alice), 409, 'already_member')
  assertDone(await mimir.rest(key).post(`/api/messages/${group}`, { content: 'hello' }), 201)
})

test('one webhook’s posts are counted by themselves', async () => {
  // Registration, friend requests and the like have their own limits, which these people stay under.
  const limits = 'webhook-token=2/1m,auth-register=50/1m,friend-request=50/1m'
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: limits } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('team', bob)
  const urls = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const path = `/api/conversations/${group}/webhooks`
      return assertDone(await alice.rest.post(path, { ...INCOMING, name }), 201).url as string
    }),
  )
  const [one = '', two = ''] = urls.map(pathOf)
  for (const n of [1, 2]) assertDone(await mimir.rest().post(one, { content: `${n}` }), 201)
  const refused = await mimir.rest().post(one, { content: '3' })
  assertRefused(refused, 429, 'rate_limited')
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assertDone(await mimir.rest().post(two, { content: '1' }), 201)
})
