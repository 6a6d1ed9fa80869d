import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RecordReader } from '../../src/hub/framing.ts'
import { RS } from './harness.ts'

const LIMIT = 1000

const record = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes(RS))

test('records come out as they went in, however the stream is cut into frames', () => {
  const streams = fc.record({
    records: fc.array(record, { maxLength: 20 }),
    cuts: fc.array(fc.nat(), { maxLength: 20 }),
  })
  fc.assert(
    fc.property(streams, ({ records, cuts }) => {
      const stream = records.map((text) => text + RS).join('')
      const places = cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b)
      const reader = new RecordReader(LIMIT)
      const read: string[] = []
      let start = 0
      for (const end of [...places, stream.length]) {
        read.push(...reader.read(stream.slice(start, end)))
        start = end
      }
      assert.deepEqual(read, records)
    }),
  )
})

test('whatever is sent, the reader keeps no more than one record of its limit', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 600 }), { maxLength: 20 }), (frames) => {
      const reader = new RecordReader(LIMIT)
      let unfinished = ''
      for (const frame of frames) {
        unfinished = (unfinished + frame).slice((unfinished + frame).lastIndexOf(RS) + 1)
        const tooLong = Buffer.byteLength(unfinished) > LIMIT
        try {
          for (const text of reader.read(frame)) assert.ok(Buffer.byteLength(text) <= LIMIT)
          assert.ok(!tooLong, 'a tail over the limit was kept')
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error
          return
        }
      }
    }),
  )
})
