import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  ATTRIBUTE,
  addressOf,
  decodeResponse,
  encodeRequest,
  errorOf,
  isSigned,
  METHOD,
} from '../../src/outbound/stun-message.ts'

// Sample responses of RFC 5769 §2.2 and §2.3, signed with the password of §2.
const KEY = Buffer.from('VOkJxbRl1RmTxUk/WvJxBt')
const SAMPLES = {
  '192.0.2.1:32853': `
    0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220
    00200008 0001a147 e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7
    80280004 c07d4c96`,
  '[2001:db8:1234:5678:11:2233:4455:6677]:32853': `
    01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220
    00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
    00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c`,
}

for (const [address, hex] of Object.entries(SAMPLES)) {
  test(`the RFC’s response with ${address} is read, and its signature checked`, () => {
    const bytes = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
    const message = decodeResponse(bytes)
    assert.ok(message)
    assert.deepEqual([message.method, message.kind], [METHOD.binding, 'success'])
    assert.equal(addressOf(message, ATTRIBUTE.xorMappedAddress), address)

    assert.ok(isSigned(bytes, KEY))
    assert.ok(!isSigned(bytes, Buffer.from('another')))
    const altered = Buffer.from(bytes)
    altered[36] = (altered[36] as number) ^ 1
    assert.ok(!isSigned(altered, KEY))
  })
}

test('whatever comes, it is a response or it is none', () => {
  const header = Buffer.from('0101000c2112a442', 'hex')
  const bytes = fc.uint8Array({ maxLength: 80 })
  fc.assert(
    fc.property(bytes, fc.boolean(), (tail, withHeader) => {
      const input = Buffer.concat([withHeader ? header : Buffer.alloc(0), tail])
      const message = decodeResponse(input)
      isSigned(input, KEY)
      if (!message) return
      for (const type of message.attributes.keys()) addressOf(message, type)
      errorOf(message)
    }),
    { numRuns: 2000 },
  )
})

test('a request is no response', () => {
  const { bytes } = encodeRequest(METHOD.allocate, [[ATTRIBUTE.username, 'ann']], KEY)
  assert.equal(decodeResponse(bytes), undefined)
})
