import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { McpClient } from '../harness/mcp.ts'
import { add } from '../harness/nodes.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const env = { MIMIR_MEMORY_USER_QUOTA_BYTES: '20000' }
const FILLING = { text: 'x'.repeat(8_000) }

/** What the vault counts; fails if it is not the sum of the rows. */
async function usageOf(mimir: Appliance): Promise<number> {
  const { read } = mimir.app.ctx.db
  const vault = await read.selectFrom('node_vaults').select('bytes').executeTakeFirstOrThrow()
  const nodes = await read.selectFrom('nodes').select('bytes').execute()
  const edges = await read.selectFrom('node_edges').select('bytes').execute()
  const sum = [...nodes, ...edges].reduce((total, { bytes }) => total + bytes, 0)
  assert.equal(vault.bytes, sum)
  return sum
}

test('a person’s nodes have a quota in bytes, and what is deleted counts no more', async () => {
  await using mimir = await boot({ env })
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  await add(alice, 'memory', FILLING, 'a')
  await add(alice, 'memory', FILLING, 'b')
  const third = { type: 'memory', id: 'c', properties: FILLING }
  const refused = await alice.rest.post('/api/nodes', third)
  assertRefused(refused, 409, 'well_full')
  assert.equal(refused.body.maxBytes, 20_000)
  // Neither may one that exists grow; it may shrink.
  const grow = { properties: { more: 'x'.repeat(4_000) } }
  assertRefused(await alice.rest.put('/api/nodes/a', grow), 409, 'well_full')
  const before = await usageOf(mimir)
  assertDone(await alice.rest.put('/api/nodes/a', { properties: { text: 'short' } }))
  assert.ok((await usageOf(mimir)) < before - 7_900)
  assertDone(await alice.rest.post('/api/nodes', third), 201)
  assertDone(await alice.rest.delete('/api/nodes/b'))
  const both = await Promise.all(
    ['d', 'e'].map((id) => alice.rest.post('/api/nodes', { ...third, id })),
  )
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 409])
  await usageOf(mimir)
  // Somebody else's quota is their own.
  await add(bob, 'memory', FILLING)
})

test('edges and index entries count too, and a cleared memory takes nothing', async () => {
  await using mimir = await boot({ env })
  const alice = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  await add(alice, 'memory', {}, 'a')
  await add(alice, 'memory', {}, 'b')
  const nodesAlone = await usageOf(mimir)
  const edge = (type: string, properties: object = {}) =>
    mcp.call('memory_edge', {
      operation: 'add',
      ...{ source: 'a', target: 'b', type, properties },
    })
  const made = await edge('relates_to', FILLING)
  const withEdge = await usageOf(mimir)
  assert.ok(withEdge > nodesAlone + 8_000)
  // The same edge again is the one that exists.
  assert.equal((await edge('relates_to', FILLING)).edge.id, made.edge.id)
  assert.equal(await usageOf(mimir), withEdge)
  await edge('contains', FILLING)
  assert.equal((await edge('blocks', FILLING)).code, 'well_full')
  await mcp.call('memory_edge', { operation: 'delete', edge_id: made.edge.id })
  // The entries of many short values take more than the values themselves.
  const list = { type: 'memory', properties: { of: Array.from({ length: 200 }, (_, n) => n) } }
  assertRefused(await alice.rest.post('/api/nodes', list), 409, 'well_full')
  await usageOf(mimir)

  const all = { type: 'memory' }
  const { confirmationId } = await mcp.call('memory_clear', all)
  await mcp.call('memory_clear', { ...all, confirm: true, confirmationId })
  assert.equal(await usageOf(mimir), 0)
})

test('a change of several nodes that names one of them twice counts its last state', async () => {
  await using mimir = await boot({ env })
  const alice = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  await add(alice, 'memory', { text: 'first' }, 'a')
  const updates = [
    { id: 'a', properties: { ...FILLING, kept: true } },
    { id: 'a', properties: { text: 'last' } },
  ]
  const { nodes } = await mcp.call('memory_batch', { operation: 'update_nodes', updates })
  assert.deepEqual(
    nodes.map(({ properties }: { properties: object }) => properties),
    [
      { ...FILLING, kept: true },
      { text: 'last', kept: true },
    ],
  )
  assert.ok((await usageOf(mimir)) < 2_000)
  const found = async (text: string) =>
    (await mcp.call('memory_node', { operation: 'query', filters: { text } })).count
  assert.deepEqual([await found('first'), await found('last')], [0, 1])
})
