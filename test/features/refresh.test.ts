import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY, SECOND } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const refresh = (mimir: Appliance, refreshToken: string) =>
  mimir.rest().post('/api/auth/refresh', { refreshToken })

const me = (mimir: Appliance, token: string) => mimir.rest(token).get('/api/me')

/** Asserts that using the token is treated as theft: every session and connection ends. */
async function assertTheft(mimir: Appliance, person: Person, refreshToken: string): Promise<void> {
  const other = await person.signIn()
  const hubs = [await person.connect(), await mimir.hub(other.accessToken)]

  assertRefused(await refresh(mimir, refreshToken), 401, 'token_reuse_detected')
  for (const hub of hubs) await eventually(() => hub.closed, 'a connection stayed open')
  assertRefused(await refresh(mimir, other.refreshToken), 401, 'invalid_token')
  for (const token of [person.accessToken, other.accessToken]) {
    assertRefused(await me(mimir, token), 401, 'unauthorized')
  }
}

test('a refresh answers as signing in does, with new tokens of the same session', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  mimir.clock.advance(DAY)
  const answer = assertDone(await refresh(mimir, ann.refreshToken))

  const { accessToken, refreshToken, refreshExpiresAt, accessExpiresAt, ...rest } = answer
  assert.deepEqual(rest, { username: 'ann', isAdmin: false })
  assert.notEqual(refreshToken, ann.refreshToken)
  assert.match(refreshToken, /^[\w-]{43}$/)
  assert.ok(Date.parse(refreshExpiresAt) - mimir.clock.now() > 29.99 * DAY)
  assert.ok(Date.parse(accessExpiresAt) > mimir.clock.now())
  const sessions = assertDone(await mimir.rest(accessToken).get('/api/me/sessions'))
  assert.deepEqual(
    sessions.map((session: { current: boolean }) => session.current),
    [true],
  )
})

test('twenty refreshes of one token at once get one successor and one session', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => refresh(mimir, ann.refreshToken)),
  )

  const answers = replies.map((reply) => assertDone(reply))
  assert.equal(new Set(answers.map((answer) => answer.refreshToken)).size, 1)
  assert.equal(new Set(answers.map((answer) => answer.refreshExpiresAt)).size, 1)
  for (const { accessToken } of answers) {
    const sessions = assertDone(await mimir.rest(accessToken).get('/api/me/sessions'))
    assert.deepEqual(
      sessions.map((session: { current: boolean }) => session.current),
      [true],
    )
  }
  assertDone(await refresh(mimir, answers[0].refreshToken))
})

test('a repeat within ten seconds gets the same successor and a working access token', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const first = assertDone(await refresh(mimir, ann.refreshToken))
  mimir.clock.advance(9 * SECOND)
  const repeat = assertDone(await refresh(mimir, ann.refreshToken))

  assert.equal(repeat.refreshToken, first.refreshToken)
  assert.notEqual(repeat.accessToken, first.accessToken)
  assertDone(await me(mimir, repeat.accessToken))
  assertDone(await refresh(mimir, first.refreshToken))
})

test('a repeat gets the same successor although the key behind it was rotated meanwhile', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const first = assertDone(await refresh(mimir, ann.refreshToken))
  await mimir.command('key.rotate', { purpose: 'refresh' })
  await mimir.restart()

  const repeat = assertDone(await refresh(mimir, ann.refreshToken))
  assert.equal(repeat.refreshToken, first.refreshToken)
})

test('a repeat after ten seconds is a theft', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { refreshToken } = assertDone(await refresh(mimir, ann.refreshToken))
  mimir.clock.advance(10 * SECOND + 1)

  await assertTheft(mimir, ann, ann.refreshToken)
  assertRefused(await refresh(mimir, refreshToken), 401, 'invalid_token')
})

test('the grace ends as soon as the successor is used: then a repeat is a theft', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { refreshToken } = assertDone(await refresh(mimir, ann.refreshToken))
  assertDone(await refresh(mimir, refreshToken))

  await assertTheft(mimir, ann, ann.refreshToken)
})

test("a theft ends nobody else's session", async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const bob = await mimir.person('bob')
  const hub = await bob.connect()
  assertDone(await refresh(mimir, ann.refreshToken))
  mimir.clock.advance(11 * SECOND)
  assertRefused(await refresh(mimir, ann.refreshToken), 401, 'token_reuse_detected')

  assertDone(await bob.rest.get('/api/me'))
  assertDone(await refresh(mimir, bob.refreshToken))
  assert.equal(hub.closed, false)
})

test('after a theft the person signs in anew', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  assertDone(await refresh(mimir, ann.refreshToken))
  mimir.clock.advance(11 * SECOND)
  assertRefused(await refresh(mimir, ann.refreshToken), 401, 'token_reuse_detected')

  const { refreshToken } = await ann.signIn()
  assertDone(await refresh(mimir, refreshToken))
})

test('a refresh token dies after 30 days, and an unknown one never lived', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  mimir.clock.advance(30 * DAY)

  assertRefused(await refresh(mimir, ann.refreshToken), 401, 'expired_token')
  assertRefused(await refresh(mimir, 'never-made'), 401, 'invalid_token')
  for (const token of ['', ann.accessToken, 'x'.repeat(300), '\0']) {
    assertRefused(await refresh(mimir, token), 401, 'invalid_token')
  }
})

test('a suspended account refreshes nothing, and its old token stays dead when it comes back', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  await mimir.command('user.suspend', { user: 'ann' })
  assertRefused(await refresh(mimir, ann.refreshToken), 401, 'account_not_active')
  await mimir.command('user.reinstate', { user: 'ann' })

  assertRefused(await refresh(mimir, ann.refreshToken), 401, 'invalid_token')
  await ann.signIn()
})

test('no token is kept as it is: the store has hashes only', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { refreshToken } = assertDone(await refresh(mimir, ann.refreshToken))
  const rows = await mimir.app.ctx.db.read.selectFrom('refresh_tokens').selectAll().execute()

  assert.equal(rows.length, 2)
  const kept = JSON.stringify(rows)
  for (const token of [ann.refreshToken, refreshToken]) assert.ok(!kept.includes(token))
})
