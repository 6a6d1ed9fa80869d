import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { HubClient } from '../harness/hub.ts'
import { callTool } from '../harness/mcp.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const env = {
  MIMIR_GDPR_REQUIRE_CONSENT: 'true',
  MIMIR_GDPR_CONSENT_VERSION: '2.0',
  MIMIR_GDPR_CONSENT_URL: 'https://example.org/terms',
}

test('with the gate on people use the server once they agreed to the version that is asked for', async () => {
  await using mimir = await boot({ env })
  const alice = await mimir.person('alice')
  const refused = await alice.rest.get('/api/me')
  assertRefused(refused, 403, 'consent_required')
  assert.equal(refused.body.url, env.MIMIR_GDPR_CONSENT_URL)
  assert.equal(refused.body.version, '2.0')
  await assert.rejects(new HubClient(mimir.url, alice.accessToken).start())
  const tool = await callTool(alice.rest, 'todo', { operation: 'list' })
  assert.deepEqual([tool.status, tool.body.error.data.error], [403, 'consent_required'])
  const xrpc = await alice.rest.get('/xrpc/blue.catbird.mls.getConvos')
  assert.deepEqual([xrpc.status, xrpc.body.error], [403, 'ConsentRequired'])
  const { required, consents } = assertDone(await alice.rest.get('/api/privacy/consents'))
  assert.deepEqual(required, {
    purpose: 'terms',
    version: '2.0',
    url: env.MIMIR_GDPR_CONSENT_URL,
  })
  assert.deepEqual(consents, [])

  const agree = (version: string) =>
    alice.rest.post('/api/privacy/consents', { purpose: 'terms', version })
  assertDone(await agree('1.0'), 201)
  assertRefused(await alice.rest.get('/api/me'), 403, 'consent_required')
  const given = assertDone(await agree('2.0'), 201)
  assertDone(await alice.rest.get('/api/me'))
  const hub = await alice.connect()

  assertDone(await alice.rest.delete(`/api/privacy/consents/${given.id}`), 204)
  await eventually(() => hub.closed, 'the connection did not end')
  assertRefused(await alice.rest.get('/api/me'), 403, 'consent_required')
  const kept = assertDone(await alice.rest.get('/api/privacy/consents')).consents
  assert.equal(kept.length, 2)
  assert.ok(kept.find(({ id }: { id: string }) => id === given.id).withdrawnAt)
  assertRefused(await alice.rest.delete(`/api/privacy/consents/${given.id}`), 404, 'no_consent')
})

test('a consent that was given twice is withdrawn with one call', async () => {
  await using mimir = await boot({ env })
  const alice = await mimir.person('alice')
  const agreement = { purpose: 'terms', version: '2.0' }
  const agree = async () =>
    assertDone(await alice.rest.post('/api/privacy/consents', agreement), 201)
  const [first] = await Promise.all([agree(), agree(), agree()])
  assertDone(await alice.rest.delete(`/api/privacy/consents/${first.id}`), 204)
  assertRefused(await alice.rest.get('/api/me'), 403, 'consent_required')
})

test('a consent is its owner’s alone, and without the gate nothing is asked', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const agreement = { purpose: 'news', version: '1' }
  const { id } = assertDone(await alice.rest.post('/api/privacy/consents', agreement), 201)
  assertRefused(await bob.rest.delete(`/api/privacy/consents/${id}`), 404, 'no_consent')
  assert.equal(assertDone(await bob.rest.get('/api/privacy/consents')).required, null)
})
