import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { auditOf } from '../harness/keys.ts'
import { assertDone, assertRefused, type Rest } from '../harness/rest.ts'

const UNKNOWN = '01890000-0000-7000-8000-000000000000'

/** Registers an account that waits for approval; returns its id. */
async function applicant(mimir: Appliance, username: string): Promise<string> {
  const { token } = await mimir.command('invite.create')
  const registered = await mimir.rest().post('/api/auth/register', {
    invitationToken: token,
    username,
    email: `${username}@example.org`,
    password: `the password of ${username}`,
    phone: '123',
  })
  return assertDone(registered).userId
}

const decide = (rest: Rest, id: string, body: object) =>
  rest.post(`/api/admin/users/${id}/approve`, body)

const statusOf = async (mimir: Appliance, user: string) =>
  (await mimir.command('user.show', { user })).status

test('the pending list shows who waits for approval, and nobody else', async () => {
  await using mimir = await boot()
  const { rest } = await mimir.admin('ann')
  const ids = [await applicant(mimir, 'bob'), await applicant(mimir, 'eve')]
  const list = assertDone(await rest.get('/api/admin/users/pending'))

  assert.deepEqual(
    list.map((user: { id: string }) => user.id),
    ids,
  )
  const { createdAt, ...bob } = list[0]
  assert.deepEqual(bob, {
    id: ids[0],
    username: 'bob',
    email: 'bob@example.org',
    phone: '123',
  })
  assert.match(createdAt, /Z$/)
  for (const id of ids) assertDone(await decide(rest, id, { decision: 'approve' }), 204)
  assert.deepEqual(assertDone(await rest.get('/api/admin/users/pending')), [])
})

test('an approved account may sign in, a rejected one may not', async () => {
  await using mimir = await boot()
  const { rest } = await mimir.admin('ann')
  const [bob, eve] = [await applicant(mimir, 'bob'), await applicant(mimir, 'eve')]
  assertDone(await decide(rest, bob, { decision: 'approve' }), 204)
  assertDone(await decide(rest, eve, { decision: 'reject', reason: 'unknown to us' }), 204)

  const login = (name: string) =>
    mimir.rest().post('/api/auth/login', {
      usernameOrEmail: name,
      password: `the password of ${name}`,
    })
  assertDone(await login('bob'))
  const refused = await login('eve')
  assertRefused(refused, 403, 'account_not_active')
  assert.equal(refused.body.status, 'Suspended')
})

test('an account that is not there, does not wait, or gets no known decision: in this order', async () => {
  await using mimir = await boot()
  const { rest } = await mimir.admin('ann')
  const bob = await mimir.person('bob')
  const eve = await applicant(mimir, 'eve')

  assertRefused(await decide(rest, UNKNOWN, { decision: 'dance' }), 404, 'not_found')
  for (const decision of ['approve', 'reject', 'dance']) {
    assertRefused(await decide(rest, bob.id, { decision }), 400, 'user_not_pending')
  }
  for (const body of [{ decision: 'dance' }, { decision: '' }, {}]) {
    assertRefused(await decide(rest, eve, body), 400, 'invalid_decision')
  }
  assertRefused(await decide(rest, eve, { decision: 1 }), 400, 'validation_failed')
  assertRefused(await decide(rest, 'eve', { decision: 'approve' }), 400, 'validation_failed')
  assert.equal(await statusOf(mimir, 'bob'), 'Active')
  assert.equal(await statusOf(mimir, 'eve'), 'PendingAdmin')
})

test('of an approval and a rejection at once exactly one counts', async () => {
  await using mimir = await boot()
  const { rest } = await mimir.admin('ann')
  const id = await applicant(mimir, 'bob')
  const [approved, rejected] = await Promise.all([
    decide(rest, id, { decision: 'approve' }),
    decide(rest, id, { decision: 'reject' }),
  ])

  assert.deepEqual([approved.status, rejected.status].sort(), [204, 400])
  const expected = approved.status === 204 ? 'Active' : 'Suspended'
  assert.equal(await statusOf(mimir, 'bob'), expected)
})

test('suspending ends every session and connection of the account within a second', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('ann')
  const bob = await mimir.person('bob')
  const phone = await bob.signIn()
  const hubs = [await bob.connect(), await mimir.hub(phone.accessToken)]
  const own = await admin.connect()
  const suspended = await decide(admin.rest, bob.id, { decision: 'suspend', reason: 'spam' })

  assertDone(suspended, 204)
  await eventually(() => hubs.every((hub) => hub.closed), 'bob is still connected')
  assert.equal(own.closed, false)
  for (const { accessToken, refreshToken } of [bob, phone]) {
    assertRefused(await mimir.rest(accessToken).get('/api/me'), 401, 'unauthorized')
    const refreshed = await mimir.rest().post('/api/auth/refresh', { refreshToken })
    assertRefused(refreshed, 401, 'account_not_active')
    await assert.rejects(mimir.hub(accessToken), /401/)
  }
})

test('suspending from the command line closes the connections too', async () => {
  await using mimir = await boot()
  const bob = await mimir.person('bob')
  const hub = await bob.connect()
  await mimir.command('user.suspend', { user: 'bob' })
  await eventually(() => hub.closed, 'bob is still connected')
})

test('the last administrator is neither suspended nor made a member', async () => {
  await using mimir = await boot()
  const ann = await mimir.admin('ann')
  const demote = () => mimir.command('user.set-role', { user: 'ann', role: 'member' })

  assertRefused(await decide(ann.rest, ann.id, { decision: 'suspend' }), 409, 'last_admin')
  await assert.rejects(mimir.command('user.suspend', { user: 'ann' }), { code: 'last_admin' })
  await assert.rejects(demote(), { code: 'last_admin' })
  // A suspended administrator does not count as one.
  const bob = await mimir.admin('bob')
  assertDone(await decide(ann.rest, bob.id, { decision: 'suspend' }), 204)
  await assert.rejects(demote(), { code: 'last_admin' })
  assertDone(await ann.rest.get('/api/admin/users/pending'))
})

test('nobody but an owner and the operator acts on an owner', async () => {
  await using mimir = await boot()
  const [root, ann] = [await mimir.owner('root'), await mimir.admin('ann')]
  for (const decision of ['suspend', 'reject']) {
    assertRefused(await decide(ann.rest, root.id, { decision }), 403, 'owner_alone')
  }
  const erased = await ann.rest.post(`/api/privacy/anonymize/${root.id}`)
  assertRefused(erased, 403, 'owner_alone')
  assert.equal(await statusOf(mimir, 'root'), 'Active')
  assertDone(await root.rest.get('/api/me'))
  const denied = await auditOf(mimir, 'access.denied')
  assert.deepEqual(
    denied.map(({ target_id, details }) => [target_id, details.reason]),
    Array(3).fill([root.id, 'acts on an owner']),
  )
  // The other direction works, and so does the operator's command.
  assertDone(await decide(root.rest, ann.id, { decision: 'suspend' }), 204)
  await mimir.command('user.reinstate', { user: 'ann' })
  await mimir.command('user.reset-mfa', { user: 'root' })
  assert.equal((await mimir.command('user.suspend', { user: 'root' })).status, 'Suspended')
})

test('administrators who suspend each other at once leave one in office', async () => {
  await using mimir = await boot()
  const admins = [await mimir.admin('ann'), await mimir.admin('bob'), await mimir.admin('eve')]
  await Promise.all(
    admins.flatMap((one) =>
      admins
        .filter((other) => other !== one)
        .map((other) => decide(one.rest, other.id, { decision: 'suspend' })),
    ),
  )

  const active = await mimir.command('user.list', { status: 'Active' })
  assert.equal(active.length, 1)
})

test('decisions are for administrators', async () => {
  await using mimir = await boot()
  const { rest } = await mimir.person('ann')
  const id = await applicant(mimir, 'bob')

  assertRefused(await rest.get('/api/admin/users/pending'), 403, 'forbidden')
  assertRefused(await decide(rest, id, { decision: 'approve' }), 403, 'forbidden')
  assertRefused(await decide(mimir.rest(), id, { decision: 'approve' }), 401, 'unauthorized')
  assert.equal(await statusOf(mimir, 'bob'), 'PendingAdmin')
})
