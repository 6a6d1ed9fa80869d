import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import type { HubClient } from '../harness/hub.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const UNKNOWN = '01890000-0000-7000-8000-000000000000'

const presenceOf = (person: Person, other: string) =>
  person.rest.get(`/api/friends/${other}/presence`)

/** The presence events of the person that the device received, including everything sent so far. */
async function heard(hub: HubClient, person: Person): Promise<boolean[]> {
  await hub.invoke('Typing', UNKNOWN, true)
  const changes = hub.all('PresenceChanged').filter(({ userId }) => userId === person.id)
  return changes.map(({ online }) => online)
}

test('friends hear of the first connection and of the end of the last, and nobody else does', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const eve = await mimir.person('eve')
  const [friend, stranger] = [await bob.connect(), await eve.connect()]
  const here = (online: boolean) =>
    friend.event('PresenceChanged', (data) => data.userId === ann.id && data.online === online)

  const first = await ann.connect()
  assert.deepEqual(await here(true), { userId: ann.id, online: true, lastSeenAt: null })
  const second = await ann.connect()
  await first.stop()
  const { body } = await presenceOf(bob, ann.id)
  assert.deepEqual(body, { userId: ann.id, online: true, lastSeenAt: null })
  assert.deepEqual(await heard(friend, ann), [true])

  // Later than the end of the first connection, so that the two can be told apart.
  mimir.clock.advance(1000)
  const before = mimir.clock.now()
  await second.stop()
  const { lastSeenAt } = await here(false)
  assert.ok(Date.parse(lastSeenAt) >= before && Date.parse(lastSeenAt) <= mimir.clock.now())
  assert.deepEqual(await heard(friend, ann), [true, false])
  assert.deepEqual(await heard(stranger, ann), [])
})

test('a friend sees by REST who is online, and when the others were', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const own = await bob.connect()
  const friends = async () => assertDone(await bob.rest.get('/api/friends'))
  const never = { userId: ann.id, online: false, lastSeenAt: null }
  assert.deepEqual(assertDone(await presenceOf(bob, ann.id)), never)

  const hub = await ann.connect()
  await own.event('PresenceChanged')
  assert.equal(assertDone(await presenceOf(bob, ann.id)).online, true)
  assert.equal((await friends())[0].isOnline, true)
  await hub.stop()
  const { lastSeenAt } = await own.event('PresenceChanged', (data) => !data.online)
  const seen = { userId: ann.id, online: false, lastSeenAt }
  assert.deepEqual(assertDone(await presenceOf(bob, ann.id)), seen)
  const [friend] = await friends()
  assert.deepEqual([friend.isOnline, friend.lastSeenAt], [false, lastSeenAt])
})

test('a stranger, an asker, a former friend and an unknown person are refused alike', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const eve = await mimir.person('eve')
  const request = { friendKey: await ann.friendKey() }
  assertDone(await eve.rest.post('/api/friends/requests', request), 201)
  assertDone(await bob.rest.delete(`/api/friends/${ann.id}`), 204)

  for (const reply of [
    await presenceOf(eve, ann.id),
    await presenceOf(eve, bob.id),
    await presenceOf(bob, ann.id),
    await presenceOf(eve, UNKNOWN),
  ]) {
    assertRefused(reply, 403, 'forbidden')
  }
})

test('a suspended person goes offline for the friends', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const friend = await bob.connect()
  await ann.connect()
  await friend.event('PresenceChanged', (data) => data.online)
  await mimir.command('user.suspend', { user: 'ann' })

  await friend.event('PresenceChanged', (data) => !data.online)
  assert.equal(assertDone(await presenceOf(bob, ann.id)).online, false)
})

test('who stops being a friend sees the other go offline and hears nothing more, who becomes one does', async () => {
  await using mimir = await boot()
  const [ann, bob] = await mimir.friends('ann', 'bob')
  const eve = await mimir.person('eve')
  const [former, fresh] = [await bob.connect(), await eve.connect()]
  const hub = await ann.connect()
  await former.event('PresenceChanged')
  assertDone(await ann.rest.delete(`/api/friends/${bob.id}`), 204)
  const parted = await former.event('PresenceChanged', ({ online }) => !online)
  assert.deepEqual(parted, { userId: ann.id, online: false, lastSeenAt: null })
  // That bob is online may be told before or after ann connects.
  assert.equal((await heard(hub, bob)).at(-1), false)
  await eve.befriend(ann)

  await hub.stop()
  await fresh.event('PresenceChanged', (data) => data.userId === ann.id && !data.online)
  assert.deepEqual(await heard(former, ann), [true, false])
})
