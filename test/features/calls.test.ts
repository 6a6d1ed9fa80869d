import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { MINUTE } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { settle, signalsOf } from '../harness/calls.ts'

async function threeFriends(mimir: Appliance) {
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const hubs = [await alice.connect(), await bob.connect(), await cleo.connect()] as const
  return { alice, bob, cleo, hubs }
}

test('a call goes from offer over answer and candidates to its end, between its two parties', async () => {
  await using mimir = await boot()
  const { alice, bob, cleo, hubs } = await threeFriends(mimir)
  const [caller, callee, third] = hubs
  const tablet = await bob.connect()

  await caller.invoke('OfferCall', bob.id, 'v=0 offer')
  const offer = { callerId: alice.id, callerUsername: 'alice', sdpOffer: 'v=0 offer' }
  assert.deepEqual(await callee.event('IncomingCall'), offer)
  assert.deepEqual(await tablet.event('IncomingCall'), offer)
  await caller.invoke('SendIceCandidate', bob.id, 'early')
  const early = { fromUserId: alice.id, candidate: 'early' }
  assert.deepEqual(await callee.event('IceCandidate'), early)

  await callee.invoke('AnswerCall', alice.id, 'v=0 answer')
  const answer = { answererId: bob.id, sdpAnswer: 'v=0 answer' }
  assert.deepEqual(await caller.event('CallAnswered'), answer)
  await callee.invoke('SendIceCandidate', alice.id, 'late')
  const late = { fromUserId: bob.id, candidate: 'late' }
  assert.deepEqual(await caller.event('IceCandidate'), late)
  await callee.invoke('EndCall', alice.id)
  assert.deepEqual(await caller.event('CallEnded'), { fromUserId: bob.id })

  // The call is over: nothing passes any more.
  await caller.invoke('SendIceCandidate', bob.id, 'too late')
  await caller.invoke('EndCall', bob.id)
  await callee.assertRefused('call_not_found', 'AnswerCall', alice.id, 'again')
  await settle(
    [
      [bob, callee],
      [cleo, third],
    ],
    alice,
  )
  assert.equal(signalsOf(callee).length, 2)
  assert.deepEqual(signalsOf(third), [])
})

test('the called one rejects, and the caller hears it', async () => {
  await using mimir = await boot()
  const { alice, bob, hubs } = await threeFriends(mimir)
  const [caller, callee] = hubs
  await caller.invoke('OfferCall', bob.id, 'offer')
  await callee.event('IncomingCall')

  await callee.invoke('RejectCall', alice.id)

  assert.deepEqual(await caller.event('CallRejected'), { fromUserId: bob.id })
  await callee.assertRefused('call_not_found', 'AnswerCall', alice.id, 'too late')
})

test('an outsider’s signals to either party, or to anybody, are dropped', async () => {
  await using mimir = await boot()
  const { alice, bob, cleo, hubs } = await threeFriends(mimir)
  const [caller, callee, outsider] = hubs
  await caller.invoke('OfferCall', bob.id, 'offer')
  await callee.event('IncomingCall')

  for (const target of [alice.id, bob.id, cleo.id, randomUUID()]) {
    await outsider.assertRefused('call_not_found', 'AnswerCall', target, 'mine')
    await outsider.invoke('SendIceCandidate', target, 'mine')
    await outsider.invoke('RejectCall', target)
    await outsider.invoke('EndCall', target)
  }
  // Nor can the caller answer the call in the callee's place.
  await caller.assertRefused('call_not_found', 'AnswerCall', bob.id, 'mine')

  await settle(
    [
      [alice, caller],
      [bob, callee],
    ],
    cleo,
  )
  assert.deepEqual(signalsOf(caller), [])
  assert.equal(signalsOf(callee).length, 1)
  await callee.invoke('AnswerCall', alice.id, 'answer')
  await caller.event('CallAnswered')
})

test('one calls friends only, not oneself, and by an id', async () => {
  await using mimir = await boot()
  const { alice, hubs } = await threeFriends(mimir)
  const stranger = await mimir.person('stranger')
  const [caller] = hubs
  const strangers = await stranger.connect()

  await caller.assertRefused('not_friends', 'OfferCall', stranger.id, 'offer')
  await caller.assertRefused('not_friends', 'OfferCall', randomUUID(), 'offer')
  await caller.assertRefused('cannot_call_self', 'OfferCall', alice.id, 'offer')
  for (const id of ['', 'alice', null, 7]) {
    await caller.assertRefused('invalid_user_id', 'OfferCall', id, 'offer')
    await caller.assertRefused('invalid_user_id', 'AnswerCall', id, 'answer')
    await caller.assertRefused('invalid_user_id', 'SendIceCandidate', id, 'candidate')
    await caller.assertRefused('invalid_user_id', 'RejectCall', id)
    await caller.assertRefused('invalid_user_id', 'EndCall', id)
  }
  await strangers.assertRefused('call_not_found', 'AnswerCall', alice.id, 'answer')
  assert.deepEqual(signalsOf(strangers), [])
})

test('a ring that nobody takes within a minute cannot be taken any more', async () => {
  await using mimir = await boot()
  const { alice, bob, hubs } = await threeFriends(mimir)
  const [caller, callee] = hubs
  await caller.invoke('OfferCall', bob.id, 'offer')
  await callee.event('IncomingCall')

  mimir.clock.advance(MINUTE + 1000)

  await callee.assertRefused('call_not_found', 'AnswerCall', alice.id, 'answer')
  await callee.invoke('SendIceCandidate', alice.id, 'candidate')
  await settle([[alice, caller]], bob)
  // Whether the server has already given up or does so later, none of it passes.
  const passed = ['CallAnswered', 'IceCandidate']
  assert.deepEqual(
    signalsOf(caller).filter(({ name }) => passed.includes(name)),
    [],
  )
})

test('an answered call goes on for hours', async () => {
  await using mimir = await boot()
  const { alice, bob, hubs } = await threeFriends(mimir)
  const [caller, callee] = hubs
  await caller.invoke('OfferCall', bob.id, 'offer')
  await callee.event('IncomingCall')
  await callee.invoke('AnswerCall', alice.id, 'answer')

  mimir.clock.advance(180 * MINUTE)

  await callee.invoke('SendIceCandidate', alice.id, 'new network')
  await caller.event('IceCandidate')
  await caller.invoke('EndCall', bob.id)
  await callee.event('CallEnded')
})

test('nothing of a call is stored', async () => {
  await using mimir = await boot()
  const { alice, bob, hubs } = await threeFriends(mimir)
  const [caller, callee] = hubs
  const { read } = mimir.app.ctx.db
  const count = async () => {
    const events = await read.selectFrom('events').select('position').execute()
    const messages = await read.selectFrom('messages').select('id').execute()
    return events.length + messages.length
  }
  const before = await count()

  await caller.invoke('OfferCall', bob.id, 'offer')
  await callee.invoke('AnswerCall', alice.id, 'answer')
  await caller.invoke('EndCall', bob.id)
  await callee.event('CallEnded')

  assert.equal(await count(), before)
})
