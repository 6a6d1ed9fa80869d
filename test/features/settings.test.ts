import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { REPLACED_NAMES, SETTINGS } from '../../src/config/settings.ts'

test('what replaces a name of an earlier system is a setting that exists', () => {
  const advised = Object.values(REPLACED_NAMES).flatMap(
    (advice) => advice.match(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/g) ?? [],
  )
  assert.ok(advised.length > 20)
  assert.deepEqual(
    advised.filter((name) => !(name in SETTINGS)),
    [],
  )
})

test('an address of Redis is answered, not ignored', () => {
  const env = { REDIS_URL: 'redis://cache:6379', MIMIR_REDIS_URL: 'redis://cache:6379' }
  const { notes } = loadConfig({ dataDir: '/nowhere', env })
  const told = (name: string) => `${name} is not used here: the server is one process`
  for (const name of Object.keys(env)) {
    assert.ok(
      notes.some((note) => note.startsWith(told(name))),
      notes.join('\n'),
    )
  }
})
