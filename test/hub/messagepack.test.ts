import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HubMessage } from '@microsoft/signalr'
import { NullLogger } from '@microsoft/signalr'
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack'
import { encode as pack } from '@msgpack/msgpack'
import fc from 'fast-check'
import { BinaryReader, withLength } from '../../src/hub/binary-framing.ts'
import { RecordTooLarge } from '../../src/hub/framing.ts'
import { messagePackProtocol } from '../../src/hub/messagepack-protocol.ts'
import { isOneValue } from '../../src/hub/messagepack-scan.ts'
import { MalformedRecord, type Outgoing } from '../../src/hub/messages.ts'
import { openHouse, until } from './harness.ts'

const official = new MessagePackHubProtocol()
const { decode, encode } = messagePackProtocol
const hex = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString('hex')

/** What the official client decodes from our message. */
function readBack(message: Outgoing) {
  const bytes = encode(message) as Uint8Array<ArrayBuffer>
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const read = official.parseMessages(buffer, NullLogger.instance)
  assert.equal(read.length, 1)
  return read[0] as HubMessage & Record<string, unknown>
}

/** What we decode from the official client's message. */
function received(message: HubMessage) {
  const bytes = new Uint8Array(official.writeMessage(message))
  const [record] = new BinaryReader(1000).read(bytes)
  return decode(record as Uint8Array)
}

describe('the MessagePack hub protocol', () => {
  test('byte vectors', () => {
    assert.equal(hex(messagePackProtocol.ping), '029106')
    assert.equal(hex(encode({ kind: 'ack', sequenceId: 7 })), '03920807')
    assert.equal(hex(encode({ kind: 'sequence', sequenceId: 300 })), '059209cd012c')
    assert.equal(hex(encode({ kind: 'close', allowReconnect: true })), '049307c0c3')
    const nothing = encode({ kind: 'result', invocationId: 'a', result: undefined })
    assert.equal(hex(nothing), '06940380a16102')
    const event = encode({ kind: 'invocation', target: 'E', argument: undefined })
    assert.equal(hex(event), '09960180c0a14591c090')
  })

  test('the official client reads what is written, with the values of JSON', () => {
    const argument = { at: '2026-11-22T04:02:37.000Z', none: undefined, no: null, n: 1.5, l: [1] }
    const { none: _none, ...there } = argument
    const event = readBack({ kind: 'invocation', target: 'E', argument })
    assert.deepEqual(event.arguments, [there])
    const date = new Date(0)
    const result = readBack({ kind: 'result', invocationId: '1', result: { date } })
    assert.deepEqual(result.result, { date: date.toISOString() })
    assert.equal(readBack({ kind: 'result', invocationId: '1', result: null }).result, null)
    assert.equal(readBack({ kind: 'failure', invocationId: '1', error: 'no' }).error, 'no')
    const close = readBack({ kind: 'close', error: 'x' })
    assert.deepEqual([close.error, close.allowReconnect], ['x', false])
    const long = 'x'.repeat(20_000)
    assert.deepEqual(readBack({ kind: 'invocation', target: 'E', argument: long }).arguments, [
      long,
    ])
  })

  test('what the official client writes is read', () => {
    const call = { target: 'M', arguments: ['a', { b: [null, true] }] }
    assert.deepEqual(received({ type: 1, invocationId: '5', ...call }), {
      kind: 'invocation',
      invocationId: '5',
      ...call,
    })
    assert.deepEqual(received({ type: 1, ...call }), { kind: 'invocation', ...call })
    assert.deepEqual(received({ type: 4, invocationId: '5', ...call }), {
      kind: 'stream-invocation',
      invocationId: '5',
      target: 'M',
    })
    assert.deepEqual(received({ type: 2, invocationId: '5', item: 1 }), { kind: 'ignored' })
    assert.deepEqual(received({ type: 3, invocationId: '5', result: 1 }), { kind: 'ignored' })
    assert.deepEqual(received({ type: 5, invocationId: '5' }), { kind: 'ignored' })
    assert.deepEqual(received({ type: 6 }), { kind: 'nothing' })
    assert.deepEqual(received({ type: 7 }), { kind: 'close' })
    assert.deepEqual(received({ type: 8, sequenceId: 3 }), { kind: 'ack', sequenceId: 3 })
    assert.deepEqual(received({ type: 9, sequenceId: 1 }), { kind: 'sequence', sequenceId: 1 })
  })

  test('what is no message is refused', () => {
    const messages = [
      [],
      ['1'],
      [1],
      [1, {}, null, 7, []],
      [1, {}, null, 'M', {}],
      [1, {}, 1, 'M', []],
      [1, {}, '', 'M', []],
      [4, {}, null, 'M', []],
      [8],
      [9, -1],
      [8, 1.5],
      { type: 1 },
      'x',
    ]
    for (const message of messages) {
      assert.throws(() => decode(pack(message)), MalformedRecord, JSON.stringify(message))
    }
    const protoKey = [0x92, 1, 0x81, 0xa9, ...Buffer.from('__proto__'), 1]
    for (const bytes of [
      [],
      [0xc1],
      [0x92, 1],
      [0x91, 6, 0],
      [0xdd, 255, 255, 255, 255],
      protoKey,
    ]) {
      assert.throws(() => decode(Uint8Array.from(bytes)), MalformedRecord, String(bytes))
    }
  })
})

describe('the sizes in a MessagePack record', () => {
  const value = fc
    .anything({ withDate: true, withTypedArray: false, maxDepth: 4 })
    .filter((any) => {
      try {
        return pack(any).length < 100_000
      } catch {
        return false
      }
    })

  test('one value passes, a cut or a longer one does not', () => {
    fc.assert(
      fc.property(
        fc.oneof(value, fc.uint8Array(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
        fc.nat(),
        (any, cut) => {
          const bytes = pack(any, { useBigInt64: typeof any === 'bigint' })
          assert.ok(isOneValue(bytes))
          assert.ok(!isOneValue(bytes.subarray(0, cut % bytes.length)))
          assert.ok(!isOneValue(Buffer.concat([bytes, Buffer.from([0xc0])])))
        },
      ),
    )
  })

  test('arrays within arrays that announce what is not there do not pass', () => {
    const nested = Buffer.concat(Array.from({ length: 10_000 }, () => Buffer.from('dc7fff', 'hex')))
    assert.ok(!isOneValue(nested))
  })
})

describe('binary frames', () => {
  test('payloads come out as they went in, however the stream is cut', () => {
    const streams = fc.record({
      payloads: fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 10 }),
      cuts: fc.array(fc.nat(), { maxLength: 10 }),
    })
    fc.assert(
      fc.property(streams, ({ payloads, cuts }) => {
        const stream = Buffer.concat(payloads.map(withLength))
        const places = cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b)
        const reader = new BinaryReader(400)
        const read: string[] = []
        let start = 0
        for (const end of [...places, stream.length]) {
          read.push(...reader.read(stream.subarray(start, end)).map(hex))
          start = end
        }
        assert.deepEqual(read, payloads.map(hex))
      }),
    )
  })

  test('a length over the limit is refused before its payload came', () => {
    assert.throws(() => new BinaryReader(127).read(Uint8Array.from([0x80, 0x01])), RecordTooLarge)
    const endless = Uint8Array.from([0x80, 0x80, 0x80, 0x80, 0x80])
    assert.throws(() => new BinaryReader(127).read(endless), RecordTooLarge)
    assert.equal(new BinaryReader(127).read(withLength(new Uint8Array(127))).length, 1)
  })

  test('a connection speaks one kind of frame', async (t) => {
    const house = await openHouse()
    t.after(() => house.close())
    const greeting = '{"protocol":"messagepack","version":1}\x1e'
    const bytes = Buffer.from(greeting)
    const ping = messagePackProtocol.ping as Uint8Array
    for (const misbehave of [
      `{"type":6}\x1e`,
      withLength(new Uint8Array(33_000)),
      ping.slice(0, 1),
    ]) {
      const raw = await house.raw('mal')
      // In pieces, as .NET clients may send it.
      raw.send(bytes.subarray(0, 5))
      raw.send(bytes.subarray(5))
      await until(() => raw.frames() === 1, 'the answer')
      raw.send(misbehave)
      // The last of them is half a ping, which is an error only once its other half arrives.
      if (misbehave.length === 1) raw.send(`{"type":6}\x1e`)
      await raw.gone()
      assert.equal(raw.closeCode(), 1000)
      assert.equal(raw.frames(), 2)
    }
  })
})
