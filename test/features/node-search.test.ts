import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { McpClient } from '../harness/mcp.ts'
import { add, idsOf, query } from '../harness/nodes.ts'

test('conditions that many nodes fulfil and hardly any together are followed to the end', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  const many = Array.from({ length: 5_000 }, (_, index) => ({
    type: index % 2 === 0 ? 'even' : 'odd',
    id: `n${index}`,
    properties: {
      half: index % 2,
      words: `${index % 3 === 0 ? 'fizz' : 'dull'} ${index === 3 || index % 3 === 1 ? 'buzz' : 'dim'}`,
      state: index === 7 ? 'rare' : 'common',
      index,
    },
  }))
  for (let made = 0; made < many.length; made += 200) {
    const nodes = many.slice(made, made + 200)
    await mcp.call('memory_batch', { operation: 'add_nodes', nodes })
  }
  const all = async (body: object) => {
    const found: string[] = []
    let cursor: string | null = null
    do {
      const page = await query(alice, { ...body, ...(cursor ? { cursor } : {}) })
      found.push(...idsOf(page))
      cursor = page.nextCursor
    } while (cursor)
    return found
  }
  for (const sort of ['created', 'updated']) {
    const order = { sort }
    assert.deepEqual(await all({ query: 'fizz buzz', ...order }), ['n3'], sort)
    assert.deepEqual(await all({ query: 'fizz buzz', ...order, type: 'even' }), [], sort)
    assert.deepEqual(await all({ filters: { state: 'rare', half: 1 }, ...order }), ['n7'], sort)
    assert.deepEqual(await all({ filters: { index: { gte: 4_998 } }, ...order }), [
      'n4999',
      'n4998',
    ])
    assert.deepEqual(await all({ filters: { index: { in: [5, 6, 6_000] } }, ...order }), [
      'n6',
      'n5',
    ])
    const halves = await all({ filters: { half: { in: [0, '0'] } }, ...order, limit: 200 })
    assert.equal(halves.length, 2_500)
    assert.equal(new Set(halves).size, 2_500)
    assert.equal((await all({ type: ['even', 'odd'], ...order, limit: 200 })).length, 5_000)
  }
  assert.deepEqual(await all({ query: 'fizz buzz', order: 'asc' }), ['n3'])
  assert.deepEqual(await all({ type: 'nothing' }), [])
  const asked = { operation: 'query', filters: { index: { lte: 0 } } }
  let answer = await mcp.call('memory_node', asked)
  // The oldest is beyond what one request decrypts.
  assert.deepEqual(answer.nodes, [])
  const found: string[] = []
  while (answer.nextCursor) {
    answer = await mcp.call('memory_node', { ...asked, cursor: answer.nextCursor })
    found.push(...idsOf(answer))
  }
  assert.deepEqual(found, ['n0'])
})

test('a search by type finds what many newer nodes of other types would hide', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  await add(alice, 'person', { name: 'Ada', role: 'runs the project' }, 'ada')
  for (let made = 0; made < 600; made += 200) {
    const nodes = Array.from({ length: 200 }, (_, n) => ({
      type: 'memory',
      properties: { content: `note ${made + n} on the project` },
    }))
    await mcp.call('memory_batch', { operation: 'add_nodes', nodes })
  }
  const search = (more: object) =>
    mcp.call('vector_search_nodes', { query: 'project Ada', ...more })
  const { results, total_results } = await search({ types: ['person', 'concept'] })
  assert.deepEqual([results.length, results[0].id, total_results], [1, 'ada', 1])
  assert.equal((await search({ types: ['memory'], limit: 5 })).results.length, 5)
  assert.equal((await search({})).results[0].id, 'ada')
  const found = new Set<string>()
  let options: object = { limit: 200 }
  for (let pages = 0; pages < 4; pages++) {
    const asked = { operation: 'search', query: 'project', options }
    const { nodes, nextCursor } = await mcp.call('memory_node', asked)
    for (const { id } of nodes) found.add(id)
    assert.equal(nextCursor === undefined, pages === 3)
    options = { limit: 200, cursor: nextCursor }
  }
  assert.equal(found.size, 601)
  const common = { query: 'project', types: ['person'] }
  assert.equal((await mcp.call('vector_search_nodes', common)).count, 1)
})

test('a search for common words finds the node that has them all, however old it is', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  await add(alice, 'memory', { content: 'how the backup of the database works' }, 'both')
  for (const word of ['backup', 'database']) {
    for (let made = 0; made < 600; made += 200) {
      const node = { type: 'note', properties: { content: `about the ${word}` } }
      const nodes = Array.from({ length: 200 }, () => node)
      await mcp.call('memory_batch', { operation: 'add_nodes', nodes })
    }
  }
  for (const types of [[], ['note', 'memory']]) {
    const search = { query: 'database backup', types, limit: 3 }
    const { results } = await mcp.call('vector_search_nodes', search)
    assert.deepEqual([results[0].id, results[0].similarity], ['both', 1])
    assert.equal(results.length, 3)
  }
})
