import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

test('a display name and a phone number are set, kept apart and taken away', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const before = assertDone(await ann.rest.get('/api/me'))
  assert.ok(!('displayName' in before))

  const named = assertDone(await ann.rest.patch('/api/me', { displayName: '  Ann Çelik 🌿 ' }))
  assert.deepEqual(named, { ...before, displayName: 'Ann Çelik 🌿' })
  const called = assertDone(await ann.rest.patch('/api/me', { phone: '+90 555 0101' }))
  assert.deepEqual(called, { ...named, phone: '+90 555 0101' })
  assert.deepEqual(assertDone(await ann.rest.get('/api/me')), called)
  assert.deepEqual(assertDone(await ann.rest.patch('/api/me', {})), called)
  const body = { displayName: null, phone: '' }
  assert.deepEqual(assertDone(await ann.rest.patch('/api/me', body)), before)
})

test('nothing but these fields can be changed, and each has its rule', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const sent = { username: 'root', email: 'x@example.org', isAdmin: true, status: 'Suspended' }
  const me = assertDone(await ann.rest.patch('/api/me', sent))
  assert.deepEqual([me.username, me.email, me.isAdmin], ['ann', 'ann@example.org', false])

  for (const displayName of ['x'.repeat(81), 'two\nlines', 7]) {
    assertRefused(await ann.rest.patch('/api/me', { displayName }), 400, 'validation_failed')
  }
  assertRefused(
    await ann.rest.patch('/api/me', { phone: '1'.repeat(33) }),
    400,
    'validation_failed',
  )
})
