import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { McpClient } from '../harness/mcp.ts'

test('what is connected to a node with very many edges says that there is more', async () => {
  await using mimir = await boot()
  const { accessToken } = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, accessToken)
  await mcp.call('memory_node', { operation: 'add', type: 'concept', id: 'hub' })
  const connect = async (from: number, to: number) => {
    for (let start = from; start < to; start += 200) {
      const ids = Array.from({ length: Math.min(200, to - start) }, (_, n) => `n${start + n}`)
      const nodes = ids.map((id) => ({ type: 'memory', id }))
      await mcp.call('memory_batch', { operation: 'add_nodes', nodes })
      const edges = ids.map((target) => ({ source: 'hub', target, type: 'relates_to' }))
      await mcp.call('memory_batch', { operation: 'add_edges', edges })
    }
  }
  const look = (operation: string, more: object = {}) =>
    mcp.call('memory_edge', { operation, node_id: 'hub', ...more })

  await connect(0, 500)
  const neighbors = await look('neighbors')
  assert.deepEqual([neighbors.count, neighbors.truncated], [500, undefined])
  await connect(500, 1000)
  assert.deepEqual(
    [(await look('neighbors')).truncated, (await look('subgraph')).truncated],
    [true, true],
  )
  const all = await look('get')
  assert.deepEqual([all.count, all.truncated], [1000, undefined])
  await connect(1000, 1001)
  const most = await look('get')
  assert.deepEqual([most.count, most.truncated], [1000, true])
  assert.equal((await look('get', { direction: 'in' })).truncated, undefined)
})
