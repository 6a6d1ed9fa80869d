import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY, MINUTE } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { settle, signalsOf } from '../harness/calls.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'

const entriesOf = async (person: Person, query = '') =>
  assertDone(await person.rest.get(`/api/call/missed?${query}`))

const cursorOf = async (person: Person): Promise<string> =>
  assertDone(await person.rest.get('/api/sync')).cursor

const missedSince = async (person: Person, cursor: string) => {
  const { events } = assertDone(await person.rest.get(`/api/sync?cursor=${cursor}`))
  return events.filter(({ type }: { type: string }) => type === 'CallMissed')
}

async function twoFriends(mimir: Appliance) {
  const [alice, bob] = await mimir.friends('alice', 'bob')
  return { alice, bob, caller: await alice.connect() }
}

test('a call that the caller gives up is missed, on either side, by whoever is away too', async () => {
  await using mimir = await boot()
  const { alice, bob, caller } = await twoFriends(mimir)
  const phone = await bob.connect()
  const cursor = await cursorOf(bob)
  await caller.invoke('OfferCall', bob.id, 'offer', { video: true })
  await phone.event('IncomingCall')

  await caller.invoke('EndCall', bob.id)

  assert.deepEqual(await phone.event('CallEnded'), { fromUserId: alice.id })
  const incoming = await phone.event('CallMissed')
  const { id, calledAt, ...rest } = incoming
  assert.deepEqual(rest, {
    otherUserId: alice.id,
    otherUsername: 'alice',
    direction: 'Incoming',
    video: true,
    reason: 'Cancelled',
  })
  assert.ok(Math.abs(Date.parse(calledAt) - mimir.clock.now()) < MINUTE)
  const outgoing = await caller.event('CallMissed')
  assert.deepEqual(outgoing, {
    ...incoming,
    id: outgoing.id,
    otherUserId: bob.id,
    otherUsername: 'bob',
    direction: 'Outgoing',
  })

  const [event, ...more] = await missedSince(bob, cursor)
  assert.deepEqual([event.data, more], [incoming, []])
  assert.deepEqual(await entriesOf(bob), [incoming])
  assert.deepEqual(await entriesOf(alice), [outgoing])
  // It is not a message: nothing is unread and no conversation was created.
  assert.deepEqual(assertDone(await bob.rest.get('/api/conversations')), [])
  assert.notEqual(id, outgoing.id)
})

test('a call that rings to its end is missed, by nobody’s doing', async () => {
  await using mimir = await boot()
  const { alice, bob, caller } = await twoFriends(mimir)
  const phone = await bob.connect()
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.event('IncomingCall')
  mimir.clock.advance(MINUTE / 2)
  await mimir.app.jobs.runNow('end-unanswered-calls')
  assert.deepEqual(await entriesOf(bob), [])

  mimir.clock.advance(MINUTE)
  await mimir.app.jobs.runNow('end-unanswered-calls')

  assert.deepEqual(await caller.event('CallEnded'), { fromUserId: bob.id, reason: 'no_answer' })
  assert.deepEqual(await phone.event('CallEnded'), { fromUserId: alice.id })
  assert.equal((await phone.event('CallMissed')).reason, 'NoAnswer')
  assert.equal((await caller.event('CallMissed')).direction, 'Outgoing')
  await mimir.app.jobs.runNow('end-unanswered-calls')
  await caller.invoke('EndCall', bob.id)
  assert.equal((await entriesOf(bob)).length, 1)
})

test('a new call right after one that rang to its end does not hide that one', async () => {
  await using mimir = await boot()
  const { bob, caller } = await twoFriends(mimir)
  await caller.invoke('OfferCall', bob.id, 'offer')
  mimir.clock.advance(2 * MINUTE)
  await caller.invoke('OfferCall', bob.id, 'again')
  await caller.invoke('EndCall', bob.id)
  const reasons = (await entriesOf(bob)).map(({ reason }: { reason: string }) => reason)
  assert.deepEqual(reasons, ['Cancelled', 'NoAnswer'])
})

test('a call to somebody who is in a call is missed as such', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const [caller, phone, third] = [await alice.connect(), await bob.connect(), await cleo.connect()]
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.invoke('AnswerCall', alice.id, 'answer')
  await third.invoke('OfferCall', bob.id, 'offer')
  const { otherUserId, reason } = await phone.event('CallMissed')
  assert.deepEqual([otherUserId, reason], [cleo.id, 'Busy'])
  assert.equal((await third.event('CallMissed')).direction, 'Outgoing')
})

test('a call that was answered or rejected, or whose offer was renewed, is not missed', async () => {
  await using mimir = await boot()
  const { alice, bob, caller } = await twoFriends(mimir)
  const phone = await bob.connect()
  await caller.invoke('OfferCall', bob.id, 'offer')
  await caller.invoke('OfferCall', bob.id, 'renewed')
  await phone.invoke('AnswerCall', alice.id, 'answer')
  await caller.invoke('EndCall', bob.id)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.invoke('RejectCall', alice.id)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.invoke('EndCall', alice.id)
  await settle([[alice, caller]], bob)
  assert.deepEqual(
    [...signalsOf(caller), ...signalsOf(phone)].filter(({ name }) => name === 'CallMissed'),
    [],
  )
  assert.deepEqual(await entriesOf(bob), [])
})

test('a stop of the server ends what rings, which was missed', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const [caller, phone] = [await alice.connect(), await bob.connect()]
  const cursor = await cursorOf(bob)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.event('IncomingCall')
  const other = await bob.connect()
  await other.invoke('OfferCall', cleo.id, 'offer')

  await mimir.restart()

  assert.deepEqual(caller.all('CallEnded'), [{ fromUserId: bob.id, reason: 'server_stopping' }])
  assert.ok(phone.all('CallEnded').some(({ fromUserId }) => fromUserId === alice.id))
  const [incoming, outgoing] = await missedSince(bob, cursor)
  assert.deepEqual([incoming.data.direction, incoming.data.reason], ['Incoming', 'NoAnswer'])
  assert.deepEqual([outgoing.data.direction, outgoing.data.reason], ['Outgoing', 'NoAnswer'])
  // It no longer rings.
  const back = await bob.connect()
  await back.assertRefused('call_not_found', 'AnswerCall', alice.id, 'answer')
  assert.deepEqual(back.all('IncomingCall'), [])
})

test('after a restart nobody is held in the call of before', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const [caller, phone] = [await alice.connect(), await bob.connect()]
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.invoke('AnswerCall', alice.id, 'answer')

  await mimir.restart()

  // The two talk over another connection; the server no longer knows their call.
  assert.deepEqual(caller.all('CallEnded'), [])
  const [again, there, third] = [await alice.connect(), await bob.connect(), await cleo.connect()]
  await again.invoke('EndCall', bob.id)
  await third.invoke('OfferCall', bob.id, 'offer')
  await there.event('IncomingCall')
  assert.deepEqual(there.all('CallEnded'), [])
  assert.deepEqual(await entriesOf(bob), [])
})

test('entries come newest first, in pages, each person’s own, and are forgotten in time', async () => {
  await using mimir = await boot()
  const { alice, bob, caller } = await twoFriends(mimir)
  const stranger = await mimir.person('stranger')
  for (let count = 0; count < 5; count++) {
    await caller.invoke('OfferCall', bob.id, 'offer')
    await caller.invoke('EndCall', bob.id)
  }
  const all = await entriesOf(bob)
  assert.equal(all.length, 5)
  const ids = all.map(({ id }: { id: string }) => id)
  assert.deepEqual(ids, [...ids].sort().reverse())
  assert.deepEqual(await entriesOf(bob, 'limit=2'), all.slice(0, 2))
  assert.deepEqual(await entriesOf(bob, `limit=2&beforeId=${ids[1]}`), all.slice(2, 4))
  assert.deepEqual(await entriesOf(stranger), [])

  mimir.clock.advance(89 * DAY)
  await mimir.app.jobs.runNow('forget-missed-calls')
  mimir.clock.advance(-89 * DAY)
  assert.equal((await entriesOf(alice)).length, 5)
  mimir.clock.advance(91 * DAY)
  await mimir.app.jobs.runNow('forget-missed-calls')
  mimir.clock.advance(-91 * DAY)
  assert.deepEqual(await entriesOf(alice), [])
})
