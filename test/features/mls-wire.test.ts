import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareChanged, compareWellFormed } from '../model/mls-wire.ts'

test('what is well formed is read as ts-mls reads it', () => {
  const taken = compareWellFormed(1000)
  // Most are accepted, and some refused.
  assert.ok(taken > 600 && taken < 1000, String(taken))
})

test('what was changed is read as ts-mls reads it, or refused by both', () => {
  const taken = compareChanged(2000)
  assert.ok(taken > 200, String(taken))
})
