import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RecordReader, RecordTooLarge } from '../../src/hub/framing.ts'

const RS = '\x1e'

describe('records of text frames', () => {
  test('a frame holds none, one or many', () => {
    const reader = new RecordReader(100)
    assert.deepEqual(reader.read(''), [])
    assert.deepEqual(reader.read(`{}${RS}`), ['{}'])
    assert.deepEqual(reader.read(`a${RS}b${RS}${RS}c${RS}`), ['a', 'b', '', 'c'])
  })

  test('a record spans frames, and the tail starts the next one', () => {
    const reader = new RecordReader(100)
    assert.deepEqual(reader.read('{"ty'), [])
    assert.deepEqual(reader.read('pe":'), [])
    assert.deepEqual(reader.read(`6}${RS}{"x`), ['{"type":6}'])
    assert.deepEqual(reader.read(`":1}${RS}`), ['{"x":1}'])
    assert.deepEqual(reader.read(`last${RS}`), ['last'])
  })

  test('the limit counts bytes of UTF-8 without the separator', () => {
    const reader = new RecordReader(6)
    assert.deepEqual(reader.read(`123456${RS}`), ['123456'])
    assert.deepEqual(reader.read(`ééé${RS}€€${RS}`), ['ééé', '€€'])
    assert.throws(() => new RecordReader(6).read(`1234567${RS}`), RecordTooLarge)
    assert.throws(() => new RecordReader(6).read(`€€1${RS}`), RecordTooLarge)
  })

  test('the limit holds over frames, for records and for a tail that never ends', () => {
    const spanning = new RecordReader(6)
    spanning.read('€1')
    assert.throws(() => spanning.read(`234${RS}`), RecordTooLarge)
    const endless = new RecordReader(6)
    endless.read('123456')
    assert.throws(() => endless.read('7'), RecordTooLarge)
  })

  test('many short records are no long one', () => {
    const frame = `12345${RS}`.repeat(1000)
    assert.equal(new RecordReader(6).read(frame).length, 1000)
  })
})
