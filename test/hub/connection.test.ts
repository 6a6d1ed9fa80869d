import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { House } from './harness.ts'
import { HANDSHAKE, openHouse, RS, until } from './harness.ts'

const call = (id: number, target: string, ...args: unknown[]) =>
  JSON.stringify({ type: 1, invocationId: String(id), target, arguments: args }) + RS

describe('with a client that breaks the rules', () => {
  let house: House
  before(async () => {
    house = await openHouse()
  })
  after(() => house.close())

  const closeRecord = async (misbehave: string | Uint8Array) => {
    const raw = await (await house.raw('mal')).greet()
    raw.send(misbehave)
    await raw.gone()
    return raw.records.join()
  }

  test('a binary frame, a record too long and a malformed one end the connection', async () => {
    assert.match(await closeRecord(new Uint8Array([1])), /"type":7.*Binary frames/)
    assert.match(await closeRecord('x'.repeat(32 * 1024 + 1)), /"type":7.*too large/)
    assert.match(await closeRecord(`{"type":1}${RS}`), /"type":7.*target/)
    assert.equal(await closeRecord(`{"type":7}${RS}`), '')
  })

  test('a frame over the limit of the listener ends the connection', async () => {
    assert.equal(await closeRecord('x'.repeat(2 * 1024 * 1024)), '')
  })

  test('a bad handshake is told why; a binary one or none at all is not', async () => {
    const unknown = await house.raw('mal')
    unknown.send(`{"protocol":"xml","version":1}${RS}`)
    await unknown.gone()
    assert.deepEqual(unknown.records, ['{"error":"The protocol \'xml\' is not supported."}'])
    for (const greeting of [`[]${RS}`, new Uint8Array([1]), Buffer.from(HANDSHAKE)]) {
      const raw = await house.raw('mal')
      raw.send(greeting)
      await raw.gone()
      assert.deepEqual(raw.records, [])
    }
  })

  test('records may be split anywhere, also the handshake', async () => {
    const raw = await house.raw('ann')
    for (const part of (HANDSHAKE + call(1, 'Echo', 'é') + call(2, 'Note', 'b')).split('')) {
      raw.send(part)
    }
    await until(() => raw.records.length === 3, 'two completions')
    assert.deepEqual(raw.records, [
      '{}',
      '{"type":3,"invocationId":"1","result":{"said":"é","operation":"hub:Echo"}}',
      '{"type":3,"invocationId":"2"}',
    ])
    raw.socket.close()
  })

  test('10,000 calls in one frame leave room for others, and are all answered', async () => {
    const ann = house.client('ann')
    await ann.start()
    const flood = await (await house.raw('mal')).greet()
    let frame = ''
    for (let id = 0; id < 10_000; id += 1) frame += call(id, 'Note', 'x')
    flood.send(frame)
    await until(() => house.hub.counts().running > 0 || flood.records.length > 0, 'the flood')
    await ann.invoke('Note', 'between')
    assert.ok(flood.records.length < 10_000)
    await until(() => flood.records.length === 10_000, 'all completions')
    assert.ok(flood.frames() < 1000, `${flood.frames()} frames`)
    flood.socket.close()
  })

  test('more waiting calls than there is room for end the connection', async () => {
    const short = `{"type":1,"target":"Note","arguments":["x"]}${RS}`
    assert.match(await closeRecord(short.repeat(17_000)), /too many invocations/)
  })

  test('the 65th connection of a user is refused, and others are not', async () => {
    const all = await Promise.all(
      Array.from({ length: 64 }, async () => (await house.raw('many')).greet()),
    )
    const refused = await house.raw('many')
    refused.send(HANDSHAKE)
    await refused.gone()
    assert.deepEqual(refused.records, ['{}', '{"type":7,"error":"too_many_connections"}'])
    await (await house.raw('other')).greet()
    all[0]?.socket.close()
    await all[0]?.gone()
    await until(() => house.presence.includes('disconnected many'), 'room')
    await (await house.raw('many')).greet()
  })

  test('a client that does not read is cut off, and others go on', async () => {
    const reader = await (await house.raw('reader')).greet()
    const deaf = connect(house.port, '127.0.0.1')
    deaf.on('error', () => {})
    deaf.write(
      'GET /hubs/dm?access_token=deaf HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
    await new Promise((resolve) => deaf.once('data', resolve))
    deaf.pause()
    deaf.write(masked(HANDSHAKE))
    await until(() => house.presence.includes('connected deaf'), 'the deaf one')
    const payload = 'x'.repeat(16 * 1024)
    const name = 'MessageReceived' as const
    const event = { tenantId: 'default', name, subjectId: 's', payload }
    let sent = 0
    while (!house.presence.includes('disconnected deaf')) {
      const read = sent
      house.hub.events([{ ...event, audience: { kind: 'conversation', id: 'everyone' } }])
      sent += 1
      assert.ok(sent < 5000, 'the deaf client is still there')
      await until(() => reader.records.length > read, 'the reader to read')
    }
    await until(() => reader.records.length === sent, 'every event')
    deaf.destroy()
  })
})

/** One masked text frame of fewer than 126 bytes (RFC 6455 §5.2), with a mask of zeros. */
function masked(text: string): Buffer {
  const body = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body])
}

describe('with time passing', () => {
  test('a handshake that never comes ends the connection', async (t) => {
    const house = await openHouse({ handshakeMs: 40, sweepMs: 5 })
    t.after(() => house.close())
    const raw = await house.raw('ann')
    raw.send('{"protocol"')
    await raw.gone()
    assert.deepEqual(raw.records, [])
    assert.equal(house.hub.counts().users, 0)
  })

  test('quiet clients get pings, and those that stay silent are let go', async (t) => {
    const house = await openHouse({ keepAliveMs: 20, silenceMs: 200, sweepMs: 5 })
    t.after(() => house.close())
    const lively = house.client('ann')
    lively.keepAliveIntervalInMilliseconds = 20
    let ended = false
    lively.onclose(() => {
      ended = true
    })
    await lively.start()
    const silent = await (await house.raw('bob')).greet()
    await silent.gone()
    assert.ok(silent.records.includes('{"type":6}'))
    assert.match(silent.records.at(-1) ?? '', /"type":7.*"allowReconnect":true/)
    assert.equal(ended, false)
    assert.equal(await lively.invoke('Note', 'here'), undefined)
  })
})

describe('joining', () => {
  test('nothing is lost between the handshake and its answer, and leaves win', async (t) => {
    let finish: (ids: string[]) => void = () => {}
    const conversations = new Promise<string[]>((resolve) => {
      finish = resolve
    })
    const house = await openHouse({}, { conversationsOf: () => conversations })
    t.after(() => house.close())
    const raw = await house.raw('ann')
    raw.send(HANDSHAKE + call(1, 'Note', 'early'))
    await until(() => house.hub.counts().users === 1, 'registration')
    const name = 'MessageDeleted' as const
    const event = { tenantId: 'default', name, subjectId: 's', payload: 1 }
    const left = { kind: 'conversation', id: 'left' } as const
    house.hub.events([
      { ...event, audience: { kind: 'user', id: 'ann' } },
      { ...event, audience: left, leaves: ['ann'] },
    ])
    finish(['kept', 'left'])
    await until(() => raw.records.length === 3, 'the answer, the event and the completion')
    house.hub.events([
      { ...event, audience: left, payload: 2 },
      { ...event, audience: { kind: 'conversation', id: 'kept' }, payload: 3 },
    ])
    await until(() => raw.records.length === 4, 'the last event')
    const heard = (n: number) => `{"type":1,"target":"${name}","arguments":[${n}]}`
    const completion = '{"type":3,"invocationId":"1"}'
    assert.deepEqual(raw.records, ['{}', heard(1), completion, heard(3)])
  })

  test('who was suspended meanwhile, or cannot be joined, does not get in', async (t) => {
    const suspended = await openHouse({}, { stillActive: async () => false })
    t.after(() => suspended.close())
    const raw = await suspended.raw('ann')
    raw.send(HANDSHAKE)
    await raw.gone()
    assert.deepEqual(raw.records, ['{}', '{"type":7,"error":"unauthorized"}'])
    assert.deepEqual(suspended.presence, [])

    const broken = await openHouse({}, { conversationsOf: () => Promise.reject(new Error('db')) })
    t.after(() => broken.close())
    const again = await broken.raw('ann')
    again.send(HANDSHAKE)
    await again.gone()
    assert.match(again.records.join(), /internal_error","allowReconnect":true/)
  })
})

describe('shutdown', () => {
  test('clients are told to come back, and what does not leave is dropped', async (t) => {
    const house = await openHouse({ goodbyeMs: 100 })
    t.after(() => house.close())
    const ann = house.client('ann')
    const reconnecting = new Promise((resolve) => ann.onreconnecting(resolve))
    await ann.start()
    const raw = await (await house.raw('bob')).greet()
    const closing = house.hub.close()
    await raw.gone()
    assert.deepEqual(raw.records, ['{"type":7,"allowReconnect":true}'])
    assert.equal(raw.closeCode(), 1001)
    await closing
    await reconnecting
    const refused = await fetch(`${house.url}/negotiate`, {
      method: 'POST',
      headers: { authorization: 'Bearer ann' },
    })
    assert.equal(refused.status, 503)
    assert.equal(house.hub.counts().connections, 0)
  })
})
