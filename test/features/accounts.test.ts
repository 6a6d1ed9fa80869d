import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { assertDone, assertRefused, type Reply } from '../harness/rest.ts'

/** An acceptable registration with a fresh invitation. */
async function details(mimir: Appliance, changes: object = {}) {
  const { token } = await mimir.command('invite.create')
  return {
    invitationToken: token,
    email: 'ann@example.org',
    username: 'ann',
    password: 'correct horse',
    ...changes,
  }
}

async function register(mimir: Appliance, changes: object = {}): Promise<Reply> {
  return mimir.rest().post('/api/auth/register', await details(mimir, changes))
}

async function login(mimir: Appliance, usernameOrEmail: string, password: string): Promise<Reply> {
  return mimir.rest().post('/api/auth/login', { usernameOrEmail, password })
}

test('without a mail server a new account waits for an administrator, and the log says so', async () => {
  await using mimir = await boot()
  const { userId, ...rest } = assertDone(await register(mimir))

  assert.match(userId, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  assert.deepEqual(Object.keys(rest), ['status', 'message'])
  assert.equal(rest.status, 'PendingAdmin')
  assert.ok(mimir.logged.some((line) => line.includes('no mail server is configured')))
  const refused = await login(mimir, 'ann', 'correct horse')
  assertRefused(refused, 403, 'account_not_active')
  assert.equal(refused.body.status, 'PendingAdmin')
})

test('an invitation that is unknown, used or expired makes no account', async () => {
  await using mimir = await boot()
  const used = await details(mimir)
  assertDone(await mimir.rest().post('/api/auth/register', used))
  const { token: old } = await mimir.command('invite.create', { expiryDays: 1 })
  mimir.clock.advance(DAY + 1)

  for (const invitationToken of ['never-made', used.invitationToken, old]) {
    const other = { ...used, username: 'bob', email: 'bob@example.org', invitationToken }
    const reply = await mimir.rest().post('/api/auth/register', other)
    assertRefused(reply, 400, 'invalid_or_expired_invitation')
  }
  assert.equal((await mimir.command('user.list')).length, 1)
})

test('a taken name and a taken address are refused alike, in any case of their letters', async () => {
  await using mimir = await boot()
  assertDone(await register(mimir))
  const name = await register(mimir, { username: 'ANN', email: 'other@example.org' })
  const address = await register(mimir, { username: 'other', email: 'Ann@Example.ORG' })

  assertRefused(name, 400, 'registration_failed')
  assertRefused(address, 400, 'registration_failed')
  assert.deepEqual({ ...name.body, requestId: '' }, { ...address.body, requestId: '' })
})

test('a refused registration leaves its invitation open', async () => {
  await using mimir = await boot()
  assertDone(await register(mimir))
  const again = await details(mimir)
  assertRefused(await mimir.rest().post('/api/auth/register', again), 400, 'registration_failed')

  const other = { ...again, username: 'bob', email: 'bob@example.org' }
  assertDone(await mimir.rest().post('/api/auth/register', other))
})

test('a password that is tried first is taken nowhere if the server says so, and a long one of any words is', async () => {
  await using mimir = await boot({ env: { MIMIR_REFUSE_COMMON_PASSWORDS: 'true' } })
  const invited = await details(mimir)
  const rest = mimir.rest()
  const passwords = ['password', 'Password1', 'qwertyuiop', '12345678', 'TRUSTNO1', 'sunshine1']
  for (const password of passwords) {
    const refused = await rest.post('/api/auth/register', { ...invited, password })
    assertRefused(refused, 400, 'password_too_common')
  }
  assertDone(await rest.post('/api/auth/register', { ...invited, password: 'password sunshine' }))

  const bob = await mimir.person('bob')
  const change = { currentPassword: bob.password, newPassword: 'Letmein123' }
  const refused = await bob.rest.post('/api/auth/change-password', change)
  assertRefused(refused, 400, 'password_too_common')
  const reset = mimir.command('user.reset-password', { user: 'bob', password: 'password123' })
  await assert.rejects(reset, { code: 'password_too_common' })
  assertDone(await login(mimir, 'bob', bob.password))
})

test('ten registrations with one invitation at once make exactly one account', async () => {
  await using mimir = await boot()
  const invitation = await details(mimir)
  const replies = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      mimir.rest().post('/api/auth/register', {
        ...invitation,
        username: `user_${n}`,
        email: `user${n}@example.org`,
      }),
    ),
  )

  const refused = replies.filter((reply) => reply.status !== 200)
  assert.equal(refused.length, 9)
  for (const reply of refused) assertRefused(reply, 400, 'invalid_or_expired_invitation')
  assert.equal((await mimir.command('user.list')).length, 1)
})

test('ten registrations of one name at once make exactly one account', async () => {
  await using mimir = await boot()
  const all = await Promise.all(
    Array.from({ length: 10 }, (_, n) => details(mimir, { email: `user${n}@example.org` })),
  )
  const replies = await Promise.all(all.map((one) => mimir.rest().post('/api/auth/register', one)))

  const refused = replies.filter((reply) => reply.status !== 200)
  assert.equal(refused.length, 9)
  for (const reply of refused) assertRefused(reply, 400, 'registration_failed')
  const open = (await mimir.command('invite.list')).filter(
    (invitation: { status: string }) => invitation.status === 'Active',
  )
  assert.equal(open.length, 9, 'the nine keep their invitations')
})

test('a field that breaks its rule is named, and nothing is made or used up', async () => {
  await using mimir = await boot()
  const good = await details(mimir)
  const broken: [string, unknown][] = [
    ['username', 'ab'],
    ['username', 'a'.repeat(51)],
    ['username', 'with space'],
    ['username', 'ünïcode'],
    ['username', 7],
    ['email', 'no address'],
    ['email', `${'a'.repeat(64)}@${'b.'.repeat(95)}com`],
    ['email', null],
    ['password', '7 bytes'],
    ['password', 'nul \0 inside'],
    ['password', undefined],
    ['invitationToken', ''],
    ['phone', 12],
  ]
  for (const [field, value] of broken) {
    const reply = await mimir.rest().post('/api/auth/register', { ...good, [field]: value })
    assertRefused(reply, 400, 'validation_failed')
    assert.deepEqual(Object.keys(reply.body.fields), [field], String(value))
  }
  assertDone(await mimir.rest().post('/api/auth/register', good))
})

test('a password has 8 to 72 bytes, however many characters these are', async () => {
  await using mimir = await boot()
  const longest = 'ü'.repeat(36)
  assertRefused(await register(mimir, { password: `${longest}x` }), 400, 'validation_failed')
  assertRefused(await register(mimir, { password: 'üüü1' }), 400, 'validation_failed')
  assertDone(await register(mimir, { password: longest }))
  await mimir.command('user.approve', { user: 'ann' })

  assertDone(await login(mimir, 'ann', longest))
  // bcrypt itself would ignore everything after byte 72.
  assertRefused(await login(mimir, 'ann', `${longest}x`), 401, 'invalid_credentials')
})

test('an account is found by name or address in any case; the address is kept in lower case', async () => {
  await using mimir = await boot()
  assertDone(await register(mimir, { username: 'Ann', email: 'Ann@Example.org' }))
  await mimir.command('user.approve', { user: 'ANN' })

  for (const name of ['Ann', 'aNN', 'ann@example.org', 'ANN@EXAMPLE.ORG']) {
    const { accessToken, username } = assertDone(await login(mimir, name, 'correct horse'))
    assert.equal(username, 'Ann')
    assert.equal((await mimir.rest(accessToken).get('/api/me')).body.email, 'ann@example.org')
  }
})

test('me is the account and nothing more', async () => {
  await using mimir = await boot()
  const { userId } = assertDone(await register(mimir, { phone: '+44 20 7946 0000' }))
  await mimir.command('user.approve', { user: 'ann' })
  const { accessToken } = assertDone(await login(mimir, 'ann', 'correct horse'))
  const { friendKey, createdAt, ...me } = assertDone(await mimir.rest(accessToken).get('/api/me'))

  assert.deepEqual(me, {
    id: userId,
    username: 'ann',
    email: 'ann@example.org',
    phone: '+44 20 7946 0000',
    status: 'Active',
    isAdmin: false,
  })
  assert.match(friendKey, /^[\w-]{12}$/)
  assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('a new friend key works at once, and the old one no longer', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const bob = await mimir.person('bob')
  const old = await ann.friendKey()
  const { friendKey } = assertDone(await ann.rest.post('/api/me/regenerate-friend-key'))

  assert.match(friendKey, /^[\w-]{12}$/)
  assert.notEqual(friendKey, old)
  assert.equal(await ann.friendKey(), friendKey)
  const ask = (key: string) => bob.rest.post('/api/friends/requests', { friendKey: key })
  assertRefused(await ask(old), 404, 'friend_key_not_found')
  assertDone(await ask(friendKey), 201)
})
