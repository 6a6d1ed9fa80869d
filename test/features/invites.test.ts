import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const UNKNOWN = '01890000-0000-7000-8000-000000000000'

const create = async (admin: Person, body: object = {}) =>
  assertDone(await admin.rest.post('/api/admin/invitations', body))

function register(mimir: Appliance, invitationToken: string) {
  return mimir.rest().post('/api/auth/register', {
    invitationToken,
    username: 'bob',
    email: 'bob@example.org',
    password: 'correct horse',
  })
}

/** The list as the administrator sees it, even after their token has expired by the clock. */
async function list(mimir: Appliance, admin: Person) {
  const { accessToken } = await admin.signIn()
  return assertDone(await mimir.rest(accessToken).get('/api/admin/invitations'))
}

test('an invitation needs no body, since all of it is optional', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('ann')
  const path = '/api/admin/invitations'
  for (const body of [undefined, '']) assertDone(await admin.rest.send('POST', path, body))
  assertRefused(await admin.rest.send('POST', path, ' '), 400, 'invalid_json')
})

test('an invitation shows its token once, and the store has only its hash', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('ann')
  const made = await create(admin, { note: 'for bob' })

  assert.deepEqual(Object.keys(made), ['id', 'token', 'expiresAt'])
  assert.match(made.token, /^[\w-]{43}$/)
  const shown = JSON.stringify(await list(mimir, admin))
  assert.ok(shown.includes(made.id) && !shown.includes(made.token))
  const rows = await mimir.app.ctx.db.read.selectFrom('invitations').selectAll().execute()
  assert.ok(!JSON.stringify(rows).includes(made.token))
})

test('an invitation is open for seven days, or as many as were said, from 1 to 30', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('ann')
  const days = (made: { expiresAt: string }) =>
    Math.round((Date.parse(made.expiresAt) - mimir.clock.now()) / DAY)

  assert.equal(days(await create(admin)), 7)
  assert.equal(days(await create(admin, { expiryDays: 1 })), 1)
  assert.equal(days(await create(admin, { expiryDays: 30 })), 30)
  for (const expiryDays of [0, 31, 1.5, '7']) {
    const reply = await admin.rest.post('/api/admin/invitations', { expiryDays })
    assertRefused(reply, 400, 'validation_failed')
    assert.deepEqual(Object.keys(reply.body.fields), ['expiryDays'])
  }
})

test('the list is newest first and says what became of each', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('ann')
  const used = await create(admin, { note: 'for bob' })
  assertDone(await register(mimir, used.token))
  await create(admin, { expiryDays: 1 })
  mimir.clock.advance(2 * DAY)
  await mimir.command('invite.create')

  const [active, expired, redeemed, own] = await list(mimir, admin)
  const { createdAt, expiresAt, redeemedAt, ...rest } = redeemed
  assert.deepEqual(rest, {
    id: used.id,
    note: 'for bob',
    redeemedByUsername: 'bob',
    status: 'Used',
  })
  assert.ok(createdAt < redeemedAt && redeemedAt < expiresAt)
  assert.deepEqual([active.status, active.note, active.redeemedAt], ['Active', null, null])
  assert.deepEqual([expired.status, expired.redeemedByUsername], ['Expired', null])
  assert.equal(own.redeemedByUsername, 'ann')
})

test('a revoked invitation makes no account and shows as expired', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('ann')
  const { id, token } = await create(admin)
  assertDone(await admin.rest.delete(`/api/admin/invitations/${id}`), 204)

  assertRefused(await register(mimir, token), 400, 'invalid_or_expired_invitation')
  const [revoked] = await list(mimir, admin)
  assert.deepEqual([revoked.id, revoked.status], [id, 'Expired'])
})

test('only an open invitation is revoked: used, expired, revoked and unknown have their codes', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('ann')
  const used = await create(admin, { expiryDays: 1 })
  assertDone(await register(mimir, used.token))
  const revoked = await create(admin)
  const old = await create(admin, { expiryDays: 1 })
  const revoke = async (id: string) => {
    const { accessToken } = await admin.signIn()
    return mimir.rest(accessToken).delete(`/api/admin/invitations/${id}`)
  }
  assertDone(await revoke(revoked.id), 204)
  mimir.clock.advance(DAY + 1)

  assertRefused(await revoke(revoked.id), 400, 'already_expired')
  assertRefused(await revoke(old.id), 400, 'already_expired')
  // Used and expired: being used takes precedence.
  assertRefused(await revoke(used.id), 400, 'already_redeemed')
  assertRefused(await revoke(UNKNOWN), 404, 'not_found')
  assertRefused(await revoke('1'), 400, 'validation_failed')
})

test('an invitation is either revoked or redeemed when both happen at once', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('ann')
  const { id, token } = await create(admin)
  const [revoked, registered] = await Promise.all([
    admin.rest.delete(`/api/admin/invitations/${id}`),
    register(mimir, token),
  ])

  const won = [revoked.status === 204, registered.status === 200]
  assert.notEqual(won[0], won[1], `${revoked.status} ${registered.status}`)
})

test('invitations are for administrators', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const refused = [
    await ann.rest.get('/api/admin/invitations'),
    await ann.rest.post('/api/admin/invitations'),
    await ann.rest.delete(`/api/admin/invitations/${UNKNOWN}`),
  ]
  for (const reply of refused) assertRefused(reply, 403, 'forbidden')
  assertRefused(await mimir.rest().get('/api/admin/invitations'), 401, 'unauthorized')
  assert.equal((await mimir.command('invite.list')).length, 1)
})
