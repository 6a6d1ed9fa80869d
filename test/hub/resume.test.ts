import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { HubOptions } from '../../src/hub/hub.ts'
import type { HubLimits } from '../../src/hub/limits.ts'
import { type House, openHouse, type Raw, RS, until } from './harness.ts'

const HANDSHAKE_2 = `{"protocol":"json","version":2}${RS}`
const call = (id: number, target: string, ...args: unknown[]) =>
  JSON.stringify({ type: 1, invocationId: String(id), target, arguments: args }) + RS
const sequence = (sequenceId: number) => JSON.stringify({ type: 9, sequenceId }) + RS
const ack = (sequenceId: number) => JSON.stringify({ type: 8, sequenceId }) + RS

async function open(
  t: TestContext,
  limits?: Partial<HubLimits>,
  overrides?: Partial<HubOptions>,
): Promise<House> {
  const house = await openHouse(limits, overrides)
  t.after(() => house.close())
  return house
}

async function negotiate(house: House, token: string, query = '&useStatefulReconnect=true') {
  const response = await fetch(`${house.url}/negotiate?negotiateVersion=1${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  })
  return (await response.json()) as { connectionToken: string; useStatefulReconnect?: boolean }
}

/** A stateful reconnect connection that has completed its handshake. */
async function connect(house: House, token: string): Promise<{ id: string; raw: Raw }> {
  const { connectionToken } = await negotiate(house, token)
  const id = `&id=${connectionToken}`
  const raw = await house.raw(token, id)
  raw.send(HANDSHAKE_2)
  await until(() => raw.records.length === 1, 'the answer to the handshake')
  assert.equal(raw.records.shift(), '{}')
  raw.send(`{"type":6}${RS}`)
  return { id, raw }
}

const NO_STATUS = 1005

/** Loses the socket as a network failure would, without a close message. */
async function lose(raw: Raw): Promise<void> {
  raw.socket.close()
  await raw.gone()
  assert.notEqual(raw.closeCode(), undefined)
}

async function assertRefused(house: House, token: string, id: string): Promise<void> {
  const raw = await house.raw(token, id)
  await raw.gone()
  assert.deepEqual(raw.records, [])
  assert.notEqual(raw.closeCode(), NO_STATUS)
}

function say(house: House, payload: unknown): void {
  const audience = { kind: 'conversation', id: 'everyone' } as const
  house.hub.signal({ audience, name: 'Typing', payload })
}
const heard = (payload: unknown) =>
  JSON.stringify({ type: 1, target: 'Typing', arguments: [payload] })

describe('stateful reconnect', () => {
  test('is offered to who asks, and only then', async (t) => {
    const house = await open(t)
    assert.equal((await negotiate(house, 'ann')).useStatefulReconnect, true)
    assert.equal('useStatefulReconnect' in (await negotiate(house, 'ann', '')), false)
    // A user cannot hold more offers than connections.
    for (let made = 1; made < 64; made += 1) await negotiate(house, 'ann')
    assert.equal((await negotiate(house, 'ann')).useStatefulReconnect, undefined)
    assert.equal((await negotiate(house, 'bob')).useStatefulReconnect, true)
  })

  test('sends again what was not acknowledged, and nothing that was', async (t) => {
    const house = await open(t)
    const { id, raw } = await connect(house, 'ann')
    for (const payload of [1, 2, 3]) say(house, payload)
    await until(() => raw.records.length === 3, 'three events')
    raw.send(ack(2))
    raw.send(call(1, 'Note', 'read'))
    await until(() => raw.records.length === 4, 'the completion')
    await lose(raw)
    say(house, 4)
    const back = await house.raw('ann', id)
    await until(() => back.records.length === 4, 'what was missed')
    const completion = '{"type":3,"invocationId":"1"}'
    assert.deepEqual(back.records, ['{"type":9,"sequenceId":3}', heard(3), completion, heard(4)])
    assert.deepEqual(house.presence, ['connected ann'])
    assert.equal(house.hub.counts().connections, 1)
    back.socket.close()
  })

  test('runs what is sent again once, and what came before the sequence message not at all', async (t) => {
    const house = await open(t)
    const { id, raw } = await connect(house, 'ann')
    raw.send(call(1, 'Note', 'a') + call(2, 'Note', 'b'))
    await until(() => house.calls.length === 2, 'both')
    await lose(raw)
    const back = await house.raw('ann', id)
    back.send(call(9, 'Note', 'too early'))
    back.send(sequence(2) + call(2, 'Note', 'b') + call(3, 'Note', 'c'))
    await until(() => house.calls.length === 3, 'the third')
    assert.deepEqual(house.calls, ['a', 'b', 'c'])
    back.send(sequence(9))
    await back.gone()
    assert.match(back.records.join(), /"type":7.*sequenceId/)
    await assertRefused(house, 'ann', id)
  })

  test('what a client sent is acknowledged: in time, and sooner when it is much', async (t) => {
    const house = await open(t, { sweepMs: 20 })
    const { raw } = await connect(house, 'ann')
    raw.send(call(1, 'Note', 'a'))
    await until(() => raw.records.includes('{"type":8,"sequenceId":1}'), 'an acknowledgement')
    const patient = await open(t, { sweepMs: 60_000 })
    const { raw: busy } = await connect(patient, 'ann')
    busy.send(call(1, 'Note', 'x'.repeat(20_000)))
    await until(() => busy.records.includes('{"type":8,"sequenceId":1}'), 'an acknowledgement')
  })

  test('nothing goes out with the answer to the handshake', async (t) => {
    const house = await open(t, { sweepMs: 20, holdMs: 60 })
    const { connectionToken } = await negotiate(house, 'ann')
    const raw = await house.raw('ann', `&id=${connectionToken}`)
    raw.send(HANDSHAKE_2)
    await until(() => house.presence.length === 1, 'the connection')
    say(house, 1)
    await until(() => raw.records.length === 1, 'the answer')
    assert.equal(raw.frames(), 1)
    await until(() => raw.records.length === 2, 'the event, also for a client without a word')
    assert.equal(raw.frames(), 2)
  })

  test('is for the same user and session, and only while it waits', async (t) => {
    const house = await open(t, { sweepMs: 20, resumeMs: 2000 })
    const { id, raw } = await connect(house, 'ann.phone')
    await lose(raw)
    await assertRefused(house, 'bob', id)
    await assertRefused(house, 'ann.laptop', id)
    await assertRefused(house, 'ann.phone', '&id=resumable.never-offered')
    const back = await house.raw('ann.phone', id)
    await until(() => back.records.length === 1, 'the sequence message')
    assert.deepEqual(house.presence, ['connected ann'])
    await lose(back)
    await until(() => house.presence.length === 2, 'the end of waiting')
    assert.deepEqual(house.presence, ['connected ann', 'disconnected ann'])
    await assertRefused(house, 'ann.phone', id)
    assert.equal(house.hub.counts().connections, 0)
  })

  test('ends with a revocation, a goodbye of the client and a close record', async (t) => {
    const house = await open(t)
    const phone = await connect(house, 'ann.phone')
    await lose(phone.raw)
    house.hub.disconnect({ userId: 'ann', sessionId: 'phone', reason: 'session_revoked' })
    assert.deepEqual(house.presence, ['connected ann', 'disconnected ann'])
    await assertRefused(house, 'ann.phone', phone.id)

    const tab = await connect(house, 'bob')
    tab.raw.socket.close(1000)
    await until(() => house.presence.includes('disconnected bob'), 'the goodbye')
    await assertRefused(house, 'bob', tab.id)

    const app = await connect(house, 'cleo')
    app.raw.send(`{"type":7}${RS}`)
    await until(() => house.presence.includes('disconnected cleo'), 'the close record')
    await assertRefused(house, 'cleo', app.id)
  })

  test('a new socket takes over from one that only the client knows to be lost', async (t) => {
    const house = await open(t)
    const { id, raw } = await connect(house, 'ann')
    const back = await house.raw('ann', id)
    await raw.gone()
    await until(() => back.records.length === 1, 'the sequence message')
    back.send(sequence(1) + call(1, 'Note', 'here'))
    await until(() => house.calls.includes('here'), 'the call')
    assert.deepEqual(house.presence, ['connected ann'])
  })

  test('who waits counts, and more than is kept ends the wait', async (t) => {
    const house = await open(t, { connectionsPerUser: 2, keptSize: 1000 })
    const first = await connect(house, 'ann')
    await connect(house, 'ann')
    await lose(first.raw)
    const third = await house.raw('ann')
    third.send(`{"protocol":"json","version":1}${RS}`)
    await third.gone()
    assert.match(third.records.join(), /too_many_connections/)
    say(house, 'x'.repeat(900))
    say(house, 'x'.repeat(900))
    await assertRefused(house, 'ann', first.id)
    assert.equal(house.hub.counts().connections, 1)
  })

  test('a reader of more than is kept loses no event, only the way back until it acknowledges', async (t) => {
    const house = await open(t, { keptSize: 1000 })
    const { id, raw } = await connect(house, 'ann')
    raw.send(call(1, 'Note', 'ready'))
    await until(() => raw.records.length === 1, 'the first completion')
    for (let n = 1; n <= 10; n += 1) say(house, String(n).repeat(400))
    await until(() => raw.records.length === 11, 'ten events')
    raw.send(ack(11) + call(2, 'Note', 'read'))
    await until(() => raw.records.length === 12, 'the second completion')
    await lose(raw)
    const back = await house.raw('ann', id)
    await until(() => back.records.length === 2, 'the completion again')
    for (let n = 1; n <= 10; n += 1) say(house, String(n).repeat(400))
    await until(() => back.records.length === 12, 'ten more')
    await lose(back)
    await assertRefused(house, 'ann', id)
  })

  test('all who wait together keep no more than there is room for', async (t) => {
    const house = await open(t, { keptTotal: 1000, sweepMs: 20 })
    const raws = await Promise.all(['ann', 'bob', 'cleo'].map((name) => connect(house, name)))
    for (const { raw } of raws) await lose(raw)
    await until(() => house.hub.counts().users === 3, 'all three')
    say(house, 'x'.repeat(400))
    await until(() => house.hub.counts().users === 2, 'one given up')
    assert.equal(house.hub.counts().connections, 2)
  })

  test('a silent transport is given up, the connection is not', async (t) => {
    const house = await open(t, { silenceMs: 100, sweepMs: 20 })
    const { id, raw } = await connect(house, 'ann')
    await raw.gone()
    assert.deepEqual(house.presence, ['connected ann'])
    const back = await house.raw('ann', id)
    await until(() => back.records.length === 1, 'the sequence message')
  })

  test('a shutdown ends the wait', async (t) => {
    const house = await open(t)
    const { raw } = await connect(house, 'ann')
    await lose(raw)
    await until(() => house.hub.counts().connections === 1, 'the wait')
    await house.hub.close()
    assert.equal(house.hub.counts().connections, 0)
    assert.deepEqual(house.presence, ['connected ann', 'disconnected ann'])
  })
})
