import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { McpClient } from '../harness/mcp.ts'

test('the official client lists the tools and keeps a memory', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  const { tools } = await mcp.client.listTools()
  assert.deepEqual(
    tools.map(({ name }) => name),
    [
      ...['todo', 'todo_list', 'memory_node', 'memory_edge', 'memory_batch', 'memory_lock'],
      ...['memory_clear', 'vector_search_nodes'],
    ],
  )
  const added = await mcp.call('memory_node', {
    operation: 'add',
    type: 'memory',
    properties: { title: 'Harbour', content: 'The harbour opens at seven.' },
  })
  console.log(added)
  const { node } = await mcp.call('memory_node', { operation: 'get', id: added.node.id })
  assert.deepEqual(node, added.node)
  const found = await mcp.call('vector_search_nodes', { query: 'when does the harbour open' })
  console.log(JSON.stringify(found))
  assert.equal(found.results[0].id, node.id)
})
