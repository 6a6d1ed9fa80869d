import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { idOfKey, isKeyOf, makeKey } from '../../src/features/api-keys/key-text.ts'

const CHARACTERS = 'abcXYZ019_-'

test('a key names its id, and with one character changed it is none', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...CHARACTERS), (place, character) => {
      const { id, text, hash } = makeKey()
      assert.equal(idOfKey(text), id)
      assert.ok(isKeyOf(hash, text))
      const at = place % text.length
      const changed = text.slice(0, at) + character + text.slice(at + 1)
      if (changed === text) return
      assert.equal(idOfKey(changed), undefined)
      assert.equal(isKeyOf(hash, changed), false)
    }),
  )
})

test('no other text is a key', () => {
  fc.assert(fc.property(fc.string(), (text) => idOfKey(`mimir_${text}`) === undefined))
})
