import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApplicationMessage, createGroup, emptyPskIndex, processPrivateMessage } from 'ts-mls'
import { randomBytes } from '../../client/bytes.ts'
import { loadIdentity } from '../../client/device/identity.ts'
import { createKeyPackage } from '../../client/device/key-packages.ts'
import { decodeMessage, encodePrivate } from '../../client/mls/codec.ts'
import { clientConfig, decodeState, encodeState } from '../../client/mls/config.ts'
import { padToBucket } from '../../client/mls/padding.ts'
import { CLASSICAL, HYBRID, suite } from '../../client/mls/suites.ts'
import { PersonSecret } from '../../client/people/secret.ts'
import { MemoryStore } from '../../client/stores/memory.ts'

async function newGroup(suiteName: typeof CLASSICAL | typeof HYBRID) {
  const secret = PersonSecret.create()
  const person = { did: 'did:web:example.org:u:alice', name: 'one', secret }
  const identity = await loadIdentity(new MemoryStore(), person)
  const own = await createKeyPackage(identity, suiteName, Date.now())
  const cs = await suite(suiteName)
  const { publicPackage, privatePackage } = own
  const groupId = randomBytes(16)
  const state = await createGroup(groupId, publicPackage, privatePackage, [], cs, clientConfig)
  return { cs, state }
}

test('every message is exactly as long as its bucket, whatever it holds', async () => {
  const lengths = [0, 1, 47, 63, 64, 300, 330, 340, 345, 350, 900, 1900, 4000, 8000, 8050, 8100]
  const long = [16_000, 16_100, 16_200, 16_300, 16_383, 16_384, 24_400, 24_450, 32_700, 100_000]
  for (const suiteName of [CLASSICAL, HYBRID] as const) {
    const { cs, state } = await newGroup(suiteName)
    for (const length of [...lengths, ...long]) {
      const { zeros, size } = padToBucket(length, 26, 16)
      const paddingConfig = { kind: 'alwaysPad', paddingLength: zeros } as const
      const { privateMessage } = await createApplicationMessage(
        { ...state, clientConfig: { ...clientConfig, paddingConfig } },
        new Uint8Array(length),
        cs,
        new Uint8Array(26),
      )
      assert.equal(encodePrivate(privateMessage).length, size, `${length} bytes`)
      assert.ok([512, 1024, 2048, 4096].includes(size) || size % 8192 === 0)
      // No smaller size would have held it.
      const smaller = size > 8192 ? size - 8192 : size / 2
      assert.ok(size === 512 || length + 190 > smaller, `${length} bytes in ${size}`)
    }
  }
})

test('every length up to three steps finds its padding, and too much is refused', () => {
  for (let length = 0; length < 26_000; length += 1) padToBucket(length, 26, 16)
  assert.equal(padToBucket(10 * 1024 * 1024 - 300, 26, 16).size, 10 * 1024 * 1024)
  assert.throws(() => padToBucket(10 * 1024 * 1024 - 20, 26, 16), { code: 'too-large' })
})

test('bytes behind a message, and other messages than expected, are refused', async () => {
  const { cs, state } = await newGroup(CLASSICAL)
  const { privateMessage } = await createApplicationMessage(state, new Uint8Array(10), cs)
  const bytes = encodePrivate(privateMessage)
  assert.equal(decodeMessage(bytes).wireformat, 'mls_private_message')
  for (const wrong of [bytes.slice(0, -1), new Uint8Array([...bytes, 0]), new Uint8Array()]) {
    assert.throws(() => decodeMessage(wrong), { code: 'unreadable' })
  }
})

test('a stored state is the same state, and a damaged one is not taken', async () => {
  const { cs, state } = await newGroup(HYBRID)
  const stored = encodeState(state)
  const { privateMessage } = await createApplicationMessage(state, new Uint8Array(3), cs)
  const opened = await processPrivateMessage(decodeState(stored), privateMessage, emptyPskIndex, cs)
  assert.equal(opened.kind, 'applicationMessage')
  assert.throws(() => decodeState(stored.slice(0, -1)), { code: 'unreadable' })
})
