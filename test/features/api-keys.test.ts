import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { auditOf, byKey, makeKey } from '../harness/keys.ts'
import { assertDone, assertRefused, type Reply } from '../harness/rest.ts'

const DAY = 86_400_000
const FORM = /^mimir_([a-z0-9]{8})_[A-Za-z0-9_-]{43}_[0-9A-Za-z]{6}$/

/** The response to an invalid key, whatever is wrong with it. */
function assertInvalid(reply: Reply, code = 'invalid_token'): void {
  assertRefused(reply, 401, code)
  assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer .*error="invalid_token"/)
}

function assertDaysAway(mimir: Appliance, time: string | null, days: number): void {
  const away = (Date.parse(time ?? '') - mimir.clock.now()) / DAY
  assert.ok(Math.abs(away - days) < 0.01, `${away} days away`)
}

test('a key is shown once, opens what its service may, and its secret is not kept', async () => {
  await using mimir = await boot()
  const { id, key, ownerId, expiresAt } = await makeKey(mimir, 'backup bot')

  assert.equal(FORM.exec(key)?.[1], id)
  assertDaysAway(mimir, expiresAt, 90)
  const me = assertDone(await byKey(mimir, key).get('/api/me'))
  assert.deepEqual([me.id, me.username, me.isAdmin], [ownerId, 'backup_bot', false])
  assert.equal(me.displayName, 'backup bot')
  assertDone(await mimir.rest(key).get('/api/me'))

  const rows = await mimir.app.ctx.db.read.selectFrom('api_keys').selectAll().execute()
  const events = await mimir.app.ctx.db.read.selectFrom('audit_events').selectAll().execute()
  const secret = key.split('_').slice(2).join('_').slice(0, 43)
  assert.ok(!JSON.stringify([rows, events, mimir.logged]).includes(secret))
  const [listed] = await mimir.command('apikey.list')
  assert.equal('key' in listed, false)
})

test('what is wrong with a key is told to nobody, but to the audit', async () => {
  await using mimir = await boot()
  const { id, key } = await makeKey(mimir, 'one', { addresses: ['10.0.0.0/8', '2001:db8::/32'] })
  const revoked = await makeKey(mimir, 'two')
  await mimir.command('apikey.revoke', { id: revoked.id })
  const expired = await makeKey(mimir, 'three', { expiresInDays: 1 })
  const suspended = await makeKey(mimir, 'four')
  await mimir.command('user.suspend', { user: 'four' })
  mimir.clock.advance(DAY)
  const mistyped = `${key.slice(0, 20)}${key[20] === 'a' ? 'b' : 'a'}${key.slice(21)}`
  const { key: other } = await makeKey(mimir, 'five')
  await mimir.app.ctx.db.transaction((tx) =>
    tx.deleteFrom('api_keys').where('name', '=', 'five').execute(),
  )

  const wrong: [key: string, reason: string, code?: string][] = [
    ['x', 'malformed_key'],
    [mistyped, 'malformed_key'],
    [other, 'unknown_key'],
    [revoked.key, 'revoked_key'],
    [expired.key, 'expired_key', 'token_expired'],
    [suspended.key, 'owner_not_active'],
    [key, 'foreign_address'],
  ]
  for (const [text, reason, code] of wrong) {
    const reply = await byKey(mimir, text).get('/api/me')
    assertInvalid(reply, code)
    const denied = await auditOf(mimir, 'access.denied')
    const mine = denied.filter(({ request_id: of }) => of === reply.body.requestId)
    assert.deepEqual(
      mine.map(({ details }) => details.reason),
      [reason],
    )
  }
  const [stolen] = (await auditOf(mimir, 'access.denied')).slice(-1)
  assert.equal(stolen?.target_id, id)
})

test('a key shown from one of its networks is good, behind a trusted proxy too', async () => {
  await using mimir = await boot({ env: { MIMIR_TRUSTED_PROXIES: '127.0.0.1' } })
  const { key } = await makeKey(mimir, 'one', { addresses: ['203.0.113.0/24', '2001:db8::/32'] })
  const from = (address: string) => byKey(mimir, key).with({ 'x-forwarded-for': address })

  for (const address of ['203.0.113.9', '2001:db8::7']) {
    assertDone(await from(address).get('/api/me'))
  }
  for (const address of ['203.0.114.9', '2001:db9::7', '::ffff:203.0.114.9']) {
    assertInvalid(await from(address).get('/api/me'))
  }
})

test('two credentials are refused, and so is one in the address', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { key } = await makeKey(mimir, 'bot')

  const both = ann.rest.with({ 'x-api-key': key })
  assertRefused(await both.get('/api/me'), 400, 'invalid_request')
  assertRefused(await mimir.rest().get(`/api/me?api_key=${key}`), 400, 'invalid_request')
})

test('a key may do what it was given and what its owner may at that moment', async () => {
  await using mimir = await boot()
  const ann = await mimir.admin('ann')
  const made = await ann.rest.post('/api/keys', {
    name: 'mine',
    scopes: ['users:read', 'invites:*', 'conversations:read'],
  })
  const { key, scopes } = assertDone(made, 201)
  assert.deepEqual(scopes, ['users:read', 'invites:read', 'invites:write', 'conversations:read'])
  const rest = byKey(mimir, key)

  assertDone(await rest.get('/api/admin/users/pending'))
  assertDone(await rest.post('/api/admin/invitations'))
  const beyond = await rest.get('/api/friends')
  assertRefused(beyond, 403, 'insufficient_permission')
  assert.equal(beyond.body.permission, 'friends:read')
  assert.match(
    beyond.headers.get('www-authenticate') ?? '',
    /error="insufficient_scope", scope="friends:read"/,
  )

  await mimir.admin('bea')
  await mimir.command('user.set-role', { user: 'ann', role: 'member' })
  const demoted = await rest.get('/api/admin/users/pending')
  assertRefused(demoted, 403, 'insufficient_permission')
  assert.equal(demoted.headers.get('www-authenticate'), null)
  assertDone(await rest.get('/api/conversations'))
})

test('a key changes its person’s account only with the permission for it', async () => {
  await using mimir = await boot()
  const { key } = await makeKey(mimir, 'narrow', { scopes: ['messages:read'] })
  const { key: wide } = await makeKey(mimir, 'wide')
  const path = '/api/me/regenerate-friend-key'

  assertDone(await byKey(mimir, key).get('/api/me'))
  const refused = await byKey(mimir, key).post(path)
  assertRefused(refused, 403, 'insufficient_permission')
  assert.equal(refused.body.permission, 'privacy:self')
  assertDone(await byKey(mimir, wide).post(path))
})

test('nobody gives a key more than they have, or one of somebody else', async () => {
  await using mimir = await boot()
  const [ann, bob] = [await mimir.admin('ann'), await mimir.person('bob')]

  const tooWide = await ann.rest.post('/api/keys', { name: 'x', scopes: ['tenants:manage'] })
  assertRefused(tooWide, 403, 'scopes_too_wide')
  assert.deepEqual(tooWide.body.scopes, ['tenants:manage'])
  const all = assertDone(await ann.rest.post('/api/keys', { name: 'x', scopes: ['*'] }), 201)
  assert.ok(all.scopes.includes('keys:write') && !all.scopes.includes('admin:config'))
  // A key can create only keys with no more permissions than its own.
  const few = assertDone(
    await ann.rest.post('/api/keys', { name: 'y', scopes: ['keys:write', 'users:read'] }),
    201,
  )
  const byFew = byKey(mimir, few.key)
  assertRefused(
    await byFew.post('/api/keys', { name: 'z', scopes: ['users:write'] }),
    403,
    'scopes_too_wide',
  )
  const narrower = assertDone(await byFew.post('/api/keys', { name: 'z' }), 201)
  assert.deepEqual(narrower.scopes, ['users:read'])
  assertRefused(await bob.rest.post('/api/keys', { name: 'x' }), 403, 'forbidden')
  assertRefused(await ann.rest.post('/api/keys', { name: 'x', service: 'bob' }), 409, 'name_taken')
  assertRefused(
    await ann.rest.post('/api/keys', { name: 'x', expiresInDays: 400 }),
    400,
    'expiry_too_long',
  )
  const endless = await ann.rest.post('/api/keys', { name: 'x', expiresInDays: null })
  assert.equal(assertDone(endless, 201).expiresAt, null)
})

test('a member with the right to make keys sees and ends their own alone', async () => {
  const roles = {
    version: '1.0',
    claimPath: 'roles',
    roleMappings: { maker: { permissions: ['keys:*'] } },
  }
  await using mimir = await boot({ env: { MIMIR_RBAC_CONFIG: JSON.stringify(roles) } })
  const [ann, bob] = [await mimir.admin('ann'), await mimir.person('bob')]
  await mimir.command('role.grant', { user: 'bob', role: 'maker' })
  const hers = assertDone(await ann.rest.post('/api/keys', { name: 'hers' }), 201)
  const his = assertDone(await bob.rest.post('/api/keys', { name: 'his' }), 201)

  const listed = assertDone(await bob.rest.get('/api/keys'))
  assert.deepEqual(
    listed.map(({ id }: { id: string }) => id),
    [his.id],
  )
  assert.equal(assertDone(await ann.rest.get('/api/keys')).length, 2)
  assertRefused(await bob.rest.delete(`/api/keys/${hers.id}`), 404, 'not_found')
  assertRefused(await bob.rest.post(`/api/keys/${hers.id}/rotate`), 404, 'not_found')
  const forService = { name: 'x', service: 'a service' }
  assertRefused(await bob.rest.post('/api/keys', forService), 403, 'key_owner_not_allowed')
  assertRefused(
    await bob.rest.post('/api/keys', { name: 'x', expiresInDays: null }),
    403,
    'key_owner_not_allowed',
  )
  // A new key of his would be a way to act as him.
  assertRefused(await ann.rest.post(`/api/keys/${his.id}/rotate`), 403, 'key_owner_not_allowed')
  assertDone(await ann.rest.delete(`/api/keys/${his.id}`), 204)
  assertRefused(await ann.rest.delete(`/api/keys/${his.id}`), 409, 'key_not_active')
  assertInvalid(await byKey(mimir, his.key).get('/api/me'))
})

test('a rotated key goes on for the overlap, beside the new one', async () => {
  await using mimir = await boot()
  const ann = await mimir.admin('ann')
  const old = await makeKey(mimir, 'bot', { scopes: ['messages:read'], addresses: ['127.0.0.1'] })

  const next = assertDone(
    await ann.rest.post(`/api/keys/${old.id}/rotate`, { overlapHours: 2 }),
    201,
  )
  assert.deepEqual([next.scopes, next.addresses], [['messages:read'], ['127.0.0.1']])
  assert.equal(next.previous.id, old.id)
  assertDone(await byKey(mimir, old.key).get('/api/me'))
  assertDone(await byKey(mimir, next.key).get('/api/me'))
  assertRefused(await ann.rest.post(`/api/keys/${old.id}/rotate`), 409, 'key_not_active')

  mimir.clock.advance(2 * 3_600_000)
  assertInvalid(await byKey(mimir, old.key).get('/api/me'), 'token_expired')
  assertDone(await byKey(mimir, next.key).get('/api/me'))
})

test('of two rotations at once one is done', async () => {
  await using mimir = await boot()
  const ann = await mimir.admin('ann')
  const { id } = await makeKey(mimir, 'bot', { scopes: ['messages:read'] })
  const replies = await Promise.all([1, 2, 3].map(() => ann.rest.post(`/api/keys/${id}/rotate`)))
  const statuses = replies.map(({ status }) => status).sort()
  assert.deepEqual(statuses, [201, 409, 409])
  assert.equal((await mimir.command('apikey.list')).length, 2)
})

test('earlier systems’ way of making a key works', async () => {
  await using mimir = await boot()
  const ann = await mimir.admin('ann')
  const made = assertDone(
    await ann.rest.post('/api/keys/generate', {
      name: 'pipeline',
      expiresInDays: 30,
      permissions: ['messages:read', 'rooms:write'],
    }),
    201,
  )
  assert.match(made.apiKey, FORM)
  assert.deepEqual(made.permissions, ['conversations:write', 'messages:read'])
  assert.deepEqual([made.keyId, made.name], [FORM.exec(made.apiKey)?.[1], 'pipeline'])
  assertDaysAway(mimir, made.expiresAt, 30)
})

test('the last use is noted once a minute, and the first of a day is audited', async () => {
  await using mimir = await boot()
  const { id, key } = await makeKey(mimir, 'bot')
  const lastUsed = async () => {
    const [row] = await mimir.command('apikey.list')
    return row.lastUsedAt
  }
  assert.equal(await lastUsed(), null)
  assertDone(await byKey(mimir, key).get('/api/me'))
  const first = await lastUsed()
  mimir.clock.advance(59_000)
  assertDone(await byKey(mimir, key).get('/api/me'))
  assert.equal(await lastUsed(), first)
  mimir.clock.advance(2000)
  assertDone(await byKey(mimir, key).get('/api/me'))
  assert.notEqual(await lastUsed(), first)
  mimir.clock.advance(DAY)
  await Promise.all([1, 2, 3, 4].map(() => byKey(mimir, key).get('/api/me')))

  const used = await auditOf(mimir, 'api_key.used')
  assert.deepEqual(
    used.map((event) => [event.target_id, event.details.keyId, event.details.credential]),
    [
      [id, id, 'api-key'],
      [id, id, 'api-key'],
    ],
  )
})

test('an owner has a hundred valid keys at most, however many are made at once', async () => {
  await using mimir = await boot()
  for (let n = 0; n < 98; n++) await makeKey(mimir, 'bot')
  const last = await Promise.allSettled([1, 2, 3, 4, 5].map(() => makeKey(mimir, 'bot')))
  const refused = last.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
  assert.deepEqual(refused, ['too_many_keys', 'too_many_keys', 'too_many_keys'])
})

test('a service is created once, however many want it at the same moment', async () => {
  await using mimir = await boot()
  const keys = await Promise.all([1, 2, 3, 4].map(() => makeKey(mimir, 'bot')))
  assert.equal(new Set(keys.map(({ ownerId }) => ownerId)).size, 1)
  const created = await auditOf(mimir, 'api_key.created')
  assert.equal(created.filter(({ details }) => details.newService).length, 1)
})
