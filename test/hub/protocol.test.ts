import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readHandshake } from '../../src/hub/handshake.ts'
import { jsonProtocol } from '../../src/hub/json-protocol.ts'
import { MalformedRecord } from '../../src/hub/messages.ts'

const { decode, encode } = jsonProtocol
const encodeInvocation = (target: string, argument: unknown) =>
  encode({ kind: 'invocation', target, argument })
const encodeResult = (invocationId: string, result: unknown) =>
  encode({ kind: 'result', invocationId, result })

const hex = (text: string) => Buffer.from(text).toString('hex')

describe('the JSON hub protocol, written', () => {
  test('byte vectors', () => {
    assert.equal(hex(String(jsonProtocol.ping)), '7b2274797065223a367d1e')
    assert.equal(
      encodeInvocation('Typing', { isTyping: true }),
      '{"type":1,"target":"Typing","arguments":[{"isTyping":true}]}\x1e',
    )
    assert.equal(
      encodeInvocation('E', '€\x1e'),
      '{"type":1,"target":"E","arguments":["€\\u001e"]}\x1e',
    )
    assert.equal(encodeInvocation('E', undefined), '{"type":1,"target":"E","arguments":[null]}\x1e')
    assert.equal(encodeResult('7', undefined), '{"type":3,"invocationId":"7"}\x1e')
    assert.equal(encodeResult('7', null), '{"type":3,"invocationId":"7","result":null}\x1e')
    assert.equal(encodeResult('7', [1]), '{"type":3,"invocationId":"7","result":[1]}\x1e')
    assert.equal(
      encode({ kind: 'failure', invocationId: 'a', error: 'no' }),
      '{"type":3,"invocationId":"a","error":"no"}\x1e',
    )
    assert.equal(
      encode({ kind: 'close', allowReconnect: true }),
      '{"type":7,"allowReconnect":true}\x1e',
    )
    assert.equal(encode({ kind: 'ack', sequenceId: 3 }), '{"type":8,"sequenceId":3}\x1e')
    assert.equal(encode({ kind: 'sequence', sequenceId: 1 }), '{"type":9,"sequenceId":1}\x1e')
    assert.equal(encode({ kind: 'close', error: 'x' }), '{"type":7,"error":"x"}\x1e')
  })
})

describe('the JSON hub protocol, read', () => {
  test('invocations with and without an id', () => {
    assert.deepEqual(decode('{"type":1,"invocationId":"1","target":"M","arguments":[1,"a"]}'), {
      kind: 'invocation',
      invocationId: '1',
      target: 'M',
      arguments: [1, 'a'],
    })
    const silent = { kind: 'invocation', target: 'M', arguments: [] }
    assert.deepEqual(decode('{"arguments":[],"target":"M","type":1,"headers":{"a":"b"}}'), silent)
    assert.deepEqual(decode('{"type":1,"invocationId":null,"target":"M","arguments":[]}'), silent)
  })

  test('streams are told apart, close is close, and the rest asks for nothing', () => {
    assert.deepEqual(decode('{"type":4,"invocationId":"1","target":"M","arguments":[]}'), {
      kind: 'stream-invocation',
      invocationId: '1',
      target: 'M',
    })
    assert.deepEqual(decode('{"type":7}'), { kind: 'close' })
    for (const type of [2, 3, 5]) assert.deepEqual(decode(`{"type":${type}}`), { kind: 'ignored' })
    assert.deepEqual(decode('{"type":8,"sequenceId":4}'), { kind: 'ack', sequenceId: 4 })
    assert.deepEqual(decode('{"type":9,"sequenceId":1}'), { kind: 'sequence', sequenceId: 1 })
    for (const type of [6, 99]) {
      assert.deepEqual(decode(`{"type":${type}}`), { kind: 'nothing' })
    }
  })

  test('what is no message is refused', () => {
    const records = [
      '',
      '{',
      'null',
      '[]',
      '1',
      '{}',
      '{"type":"1"}',
      '{"type":1}',
      '{"type":1,"target":"M"}',
      '{"type":1,"target":"M","arguments":{}}',
      '{"type":1,"target":7,"arguments":[]}',
      '{"type":1,"target":"M","arguments":[],"invocationId":1}',
      '{"type":4,"target":"M","arguments":[]}',
      '{"type":8}',
      '{"type":9,"sequenceId":-1}',
    ]
    for (const record of records) assert.throws(() => decode(record), MalformedRecord, record)
  })
})

describe('the handshake', () => {
  const answer = (record: string) => {
    const request = readHandshake(record)
    return request.accepted ? '{}' : request.answer
  }

  test('both protocols in version 1, and 2 for clients that can resume', () => {
    assert.equal(answer('{"protocol":"json","version":1}'), '{}')
    assert.equal(answer('{"protocol":"json","version":2}'), '{}')
    assert.equal(answer('{"protocol":"messagepack","version":2}'), '{}')
  })

  test('another protocol or version is told why', () => {
    assert.equal(
      answer('{"protocol":"xml","version":1}'),
      '{"error":"The protocol \'xml\' is not supported."}\x1e',
    )
    assert.match(answer('{"protocol":"json","version":3}') ?? '', /version 3/)
    assert.match(answer('{"protocol":"json"}') ?? '', /error/)
    assert.match(answer('{"version":1}') ?? '', /The protocol '' is not supported/)
  })

  test('what is no JSON object gets no answer', () => {
    for (const record of ['', 'x', '[]', 'null', '"json"']) assert.equal(answer(record), undefined)
  })
})
