import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MINUTE, SECOND } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { settle, signalsOf } from '../harness/calls.ts'
import { eventually } from '../harness/eventually.ts'
import type { HubClient } from '../harness/hub.ts'
import type { Person } from '../harness/people.ts'

/** A separate device: another sign-in. */
async function device(mimir: Appliance, person: Person): Promise<HubClient> {
  return mimir.hub((await person.signIn()).accessToken)
}

async function scene(mimir: Appliance) {
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  return {
    alice,
    bob,
    cleo,
    caller: await device(mimir, alice),
    phone: await device(mimir, bob),
    tablet: await device(mimir, bob),
    third: await device(mimir, cleo),
  }
}

const names = (hub: HubClient) => signalsOf(hub).map(({ name }) => name)

/** Closes the person's only connection; resolves once the server knows. */
async function drop(mimir: Appliance, hub: HubClient, person: Person): Promise<void> {
  await hub.stop()
  const { presence } = mimir.app.ctx
  await eventually(() => !presence.isOnline(person.id), `${person.name} is still online`)
}

test('all devices ring, and stop when one of them answers', async () => {
  await using mimir = await boot()
  const { alice, bob, caller, phone, tablet } = await scene(mimir)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.event('IncomingCall')
  await tablet.event('IncomingCall')

  await phone.invoke('AnswerCall', alice.id, 'answer')

  // Looks as if the caller had hung up: old clients know that and ignore the reason.
  assert.deepEqual(await tablet.event('CallEnded'), {
    fromUserId: alice.id,
    reason: 'answered_elsewhere',
  })
  await tablet.assertRefused('call_answered_elsewhere', 'AnswerCall', alice.id, 'me too')
  // Whatever the other device still sends, the call continues.
  await tablet.invoke('EndCall', alice.id)
  await tablet.invoke('RejectCall', alice.id)
  await tablet.invoke('SendIceCandidate', alice.id, 'of the tablet')
  await phone.invoke('SendIceCandidate', alice.id, 'of the phone')
  const candidate = { fromUserId: bob.id, candidate: 'of the phone' }
  assert.deepEqual(await caller.event('IceCandidate'), candidate)
  await phone.invoke('EndCall', alice.id)
  await caller.event('CallEnded')
  await settle([[alice, caller]], bob)
  assert.deepEqual(names(caller), ['CallAnswered', 'IceCandidate', 'CallEnded'])
  assert.deepEqual(names(phone), ['IncomingCall'])
})

test('all devices stop ringing when one of them rejects, also two at once', async () => {
  await using mimir = await boot()
  const { alice, bob, caller, phone, tablet } = await scene(mimir)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.event('IncomingCall')

  await Promise.all([phone.invoke('RejectCall', alice.id), tablet.invoke('RejectCall', alice.id)])

  await settle([[alice, caller]], bob)
  assert.deepEqual(names(caller), ['CallRejected'])
  const stopped = [...phone.all('CallEnded'), ...tablet.all('CallEnded')]
  assert.deepEqual(stopped, [{ fromUserId: alice.id, reason: 'rejected_elsewhere' }])
})

test('two devices that answer at once: one of them has the call', async () => {
  await using mimir = await boot()
  const { alice, bob, caller, phone, tablet } = await scene(mimir)
  await caller.invoke('OfferCall', bob.id, 'offer')
  const answers = await Promise.allSettled([
    phone.invoke('AnswerCall', alice.id, 'of the phone'),
    tablet.invoke('AnswerCall', alice.id, 'of the tablet'),
  ])
  assert.deepEqual(answers.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  await settle([[alice, caller]], bob)
  assert.equal(caller.all('CallAnswered').length, 1)
})

test('whoever is in a call is busy, until it ends', async () => {
  await using mimir = await boot()
  const { alice, bob, cleo, caller, phone, tablet, third } = await scene(mimir)
  const calm = await device(mimir, cleo)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.invoke('AnswerCall', alice.id, 'answer')

  await third.invoke('OfferCall', bob.id, 'offer')
  assert.deepEqual(await third.event('CallRejected'), { fromUserId: bob.id, reason: 'busy' })
  await third.invoke('OfferCall', alice.id, 'offer')
  await third.event('CallRejected', ({ fromUserId }) => fromUserId === alice.id)
  // The same for their own other devices.
  await tablet.invoke('OfferCall', alice.id, 'offer')
  assert.deepEqual(await tablet.event('CallRejected'), { fromUserId: alice.id, reason: 'busy' })
  await settle([[bob, phone]], cleo)
  assert.deepEqual(
    names(phone).filter((name) => name !== 'CallMissed'),
    ['IncomingCall'],
  )
  // The refusal goes only to the connection that asked.
  assert.deepEqual(calm.all('CallRejected'), [])

  await caller.invoke('EndCall', bob.id)
  await phone.event('CallEnded')
  await third.invoke('OfferCall', bob.id, 'offer')
  await phone.event('IncomingCall', ({ callerId }) => callerId === cleo.id)
})

test('who calls somebody that is calling them hears so, and can answer', async () => {
  await using mimir = await boot()
  const { alice, bob, caller, phone, tablet } = await scene(mimir)
  await Promise.all([
    caller.invoke('OfferCall', bob.id, 'offer of alice'),
    phone.invoke('OfferCall', alice.id, 'offer of bob'),
  ])
  const [late, early, lateHub, earlyHub] = signalsOf(phone).some(
    ({ name }) => name === 'CallRejected',
  )
    ? [bob, alice, phone, caller]
    : [alice, bob, caller, phone]

  assert.deepEqual(await lateHub.event('CallRejected'), {
    fromUserId: early.id,
    reason: 'calling_you',
  })
  await settle([[late, lateHub]], early)
  // It rings after the rejection, again where it had rung already.
  const heard = names(lateHub)
  assert.equal(heard.at(-1), 'IncomingCall', heard.join())
  assert.deepEqual(names(earlyHub), [])
  await lateHub.invoke('AnswerCall', early.id, 'answer')
  await earlyHub.event('CallAnswered')
  await settle([[early, earlyHub]], late)
  assert.equal(names(tablet).includes('CallMissed'), false)
})

test('video is said in the offer, and only then', async () => {
  await using mimir = await boot()
  const { alice, bob, caller, phone } = await scene(mimir)
  await caller.invoke('OfferCall', bob.id, 'offer', { video: true })
  const offer = { callerId: alice.id, callerUsername: 'alice', sdpOffer: 'offer' }
  assert.deepEqual(await phone.event('IncomingCall'), { ...offer, video: true })
  for (const options of [{ video: false }, {}, null]) {
    await caller.invoke('OfferCall', bob.id, 'again', options)
  }
  await settle([[bob, phone]], alice)
  const again = { ...offer, sdpOffer: 'again' }
  assert.deepEqual(phone.all('IncomingCall').slice(1), [again, again, again])
  await caller.assertRefused('invalid_options', 'OfferCall', bob.id, 'offer', { video: 'yes' })
  await caller.assertRefused('invalid_options', 'OfferCall', bob.id, 'offer', 'video')
})

test('a device that comes while it rings gets the candidates that followed the offer', async () => {
  await using mimir = await boot()
  const { alice, bob, caller } = await scene(mimir)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await caller.invoke('SendIceCandidate', bob.id, 'one')
  await caller.invoke('SendIceCandidate', bob.id, 'two')

  const late = await device(mimir, bob)
  await late.event('IceCandidate', ({ candidate }) => candidate === 'two')
  assert.deepEqual(names(late), ['IncomingCall', 'IceCandidate', 'IceCandidate'])

  await late.invoke('AnswerCall', alice.id, 'answer')
  const later = await device(mimir, bob)
  await settle([[bob, later]], alice)
  assert.deepEqual(signalsOf(later), [])
})

test('a callee who loses the connection in a call finds it again, and hears what was said', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const caller = await device(mimir, alice)
  const { accessToken } = await bob.signIn()
  const phone = await mimir.hub(accessToken)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.invoke('AnswerCall', alice.id, 'answer')

  await drop(mimir, phone, bob)
  await caller.invoke('SendIceCandidate', bob.id, 'a new network')
  const back = await mimir.hub(accessToken)
  const candidate = { fromUserId: alice.id, candidate: 'a new network' }
  assert.deepEqual(await back.event('IceCandidate'), candidate)
  await back.invoke('SendIceCandidate', alice.id, 'here')
  await caller.event('IceCandidate', ({ candidate }) => candidate === 'here')

  await drop(mimir, back, bob)
  await caller.invoke('EndCall', bob.id)
  const again = await mimir.hub(accessToken)
  assert.deepEqual(await again.event('CallEnded'), { fromUserId: alice.id })
  const once = await mimir.hub(accessToken)
  await settle([[bob, once]], alice)
  assert.deepEqual(signalsOf(once), [])
})

test('a caller who is away when the call is answered hears of it on coming back', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const { accessToken } = await alice.signIn()
  const caller = await mimir.hub(accessToken)
  const phone = await device(mimir, bob)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await drop(mimir, caller, alice)

  await phone.invoke('AnswerCall', alice.id, 'answer')
  const back = await mimir.hub(accessToken)
  const answer = { answererId: bob.id, sdpAnswer: 'answer' }
  assert.deepEqual(await back.event('CallAnswered'), answer)
})

test('a call whose device is gone keeps nobody busy', async () => {
  await using mimir = await boot()
  const { alice, bob, caller, phone, tablet, third } = await scene(mimir)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.invoke('AnswerCall', alice.id, 'answer')
  await drop(mimir, caller, alice)
  await third.invoke('OfferCall', bob.id, 'offer')
  await third.event('CallRejected')

  mimir.clock.advance(MINUTE)
  await third.invoke('OfferCall', bob.id, 'offer')
  await tablet.event('IncomingCall', ({ callerUsername }) => callerUsername === 'cleo')
})

test('a device is in one call: a new one ends the one before', async () => {
  await using mimir = await boot()
  const { alice, bob, cleo, caller, phone, third } = await scene(mimir)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.invoke('AnswerCall', alice.id, 'answer')

  await caller.invoke('OfferCall', cleo.id, 'offer')
  assert.deepEqual(await phone.event('CallEnded'), { fromUserId: alice.id })
  await third.invoke('AnswerCall', alice.id, 'answer')
  await caller.event('CallAnswered', ({ answererId }) => answererId === cleo.id)

  // A client that lost its call without a goodbye calls the same person again.
  await caller.invoke('OfferCall', cleo.id, 'once more')
  assert.deepEqual(await third.event('CallEnded'), { fromUserId: alice.id })
  await third.event('IncomingCall', ({ sdpOffer }) => sdpOffer === 'once more')
})

test('a caller who is gone does not ring on', async () => {
  await using mimir = await boot()
  const { alice, caller, bob, phone } = await scene(mimir)
  await caller.invoke('OfferCall', bob.id, 'offer')
  await phone.event('IncomingCall')
  await drop(mimir, caller, alice)
  mimir.clock.advance(20 * SECOND)
  await mimir.app.jobs.runNow('end-unanswered-calls')
  assert.deepEqual(await phone.event('CallEnded'), { fromUserId: alice.id })
  await phone.event('CallMissed')
})
