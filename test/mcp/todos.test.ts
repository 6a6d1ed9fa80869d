import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { McpClient } from '../harness/mcp.ts'

async function clientOf(mimir: Appliance): Promise<McpClient> {
  const { accessToken } = await mimir.person('alice')
  return new McpClient().connect(mimir.url, accessToken)
}

test('TODOs and lists that were stored as plain nodes are shown, whatever their properties are', async () => {
  await using mimir = await boot()
  await using mcp = await clientOf(mimir)
  const store = (type: string, id: string, properties: object) =>
    mcp.call('memory_node', { operation: 'add', type, id, properties })
  await store('todo', 'bare', {})
  await store('todo', 'odd', { title: 5, status: 'blocked', description: ['a'], completed_at: 1 })
  await store('todoList', 'list', { title: null, archived: 'no', priority: 1 })
  for (const todo_id of ['odd', 'bare']) {
    const put = { operation: 'add_todo', list_id: 'list', todo_id }
    assert.equal((await mcp.call('todo_list', put)).status, 'success')
  }

  const { todos } = await mcp.call('todo', { operation: 'list' })
  const [odd, bare] = todos.map(
    ({ created: _, updated: __, ...rest }: object & Record<string, unknown>) => rest,
  )
  assert.deepEqual(odd, {
    id: 'odd',
    title: '5',
    status: 'blocked',
    priority: 'medium',
    description: '["a"]',
    completed_at: '1',
  })
  assert.deepEqual(bare, { id: 'bare', title: '', status: 'pending', priority: 'medium' })
  const { lists } = await mcp.call('todo_list', { operation: 'list' })
  assert.deepEqual(
    lists.map(({ id, title, archived, priority }: Record<string, unknown>) => [
      id,
      title,
      archived,
      priority,
    ]),
    [['list', '', false, '1']],
  )
  const { stats } = await mcp.call('todo_list', { operation: 'get', list_id: 'list' })
  assert.deepEqual([stats.total, stats.pending, stats.completed], [2, 1, 0])
  const own = {
    operation: 'create',
    title: 'mine',
    properties: { status: 1, id: 'x', created: 'x' },
  }
  assert.equal((await mcp.call('todo', own)).todo.status, 'pending')
})

test('a TODO that is completed twice was completed the first time', async () => {
  await using mimir = await boot()
  await using mcp = await clientOf(mimir)
  const { todo } = await mcp.call('todo', { operation: 'create', title: 'mow' })
  const call = async (operation: string, more: object = {}) => {
    mimir.clock.advance(60_000)
    return (await mcp.call('todo', { operation, todo_id: todo.id, ...more })).todo.completed_at
  }
  const first = await call('complete')
  assert.equal(await call('complete'), first)
  assert.equal(await call('update', { title: 'mow again', status: 'completed' }), first)
  assert.equal(await call('update', { status: 'pending' }), undefined)
  assert.ok((await call('complete')) > first)
})

test('a list that is archived again keeps its time, and gets another after it was in use', async () => {
  await using mimir = await boot()
  await using mcp = await clientOf(mimir)
  const { list } = await mcp.call('todo_list', { operation: 'create', title: 'garden' })
  const call = async (operation: string, more: object = {}) => {
    mimir.clock.advance(60_000)
    return (await mcp.call('todo_list', { operation, list_id: list.id, ...more })).list.archived_at
  }
  const first = await call('archive')
  assert.ok(first)
  assert.equal(await call('archive'), first)
  await call('update', { properties: { archived: false } })
  assert.ok((await call('archive')) > first)
})

test('the same filters find the same TODOs, in one list and among all', async () => {
  await using mimir = await boot()
  await using mcp = await clientOf(mimir)
  const { list } = await mcp.call('todo_list', { operation: 'create', title: 'garden' })
  const make = (title: string, properties: object) =>
    mcp.call('todo', { operation: 'create', title, list_id: list.id, properties })
  await make('mow the meadow', { month: 6, tags: ['garden', 'dry'] })
  await make('sow', { month: 3, tags: ['garden'], by: 'Ada' })
  await make('sweep', { month: 10, tags: [] })
  for (const [filters, expected] of [
    [{ tags: 'garden' }, ['mow the meadow', 'sow']],
    [{ tags: { in: ['dry', 'wet'] } }, ['mow the meadow']],
    [{ month: { gte: 4 } }, ['mow the meadow', 'sweep']],
    [{ month: { gte: 4, lte: 9 }, tags: 'garden' }, ['mow the meadow']],
    [{ title: { contains: 'OW' } }, ['mow the meadow', 'sow']],
    [{ by: null }, ['mow the meadow', 'sweep']],
    [{ by: { not: 'Ada' } }, ['mow the meadow', 'sweep']],
    [{ tags: { not: 'dry' } }, ['sow', 'sweep']],
    [{ status: 'pending', month: { in: [3] } }, ['sow']],
    [{ status: { not: 'pending' } }, []],
    [{ constructor: null, tags: 'dry' }, ['mow the meadow']],
  ] as const) {
    for (const where of [{}, { list_id: list.id }]) {
      const { todos } = await mcp.call('todo', { operation: 'list', filters, ...where })
      const titles = todos.map(({ title }: { title: string }) => title).sort()
      assert.deepEqual(titles, expected, JSON.stringify([filters, where]))
    }
  }
})

test('more TODOs, lists and free nodes than one response holds are listed to the end', async () => {
  await using mimir = await boot()
  await using mcp = await clientOf(mimir)
  const ids = Array.from({ length: 401 }, (_, index) => `n${index}`)
  for (const type of ['todo', 'todoList']) {
    for (let made = 0; made < ids.length; made += 200) {
      const nodes = ids.slice(made, made + 200).map((id) => ({ type, id: `${type}-${id}` }))
      await mcp.call('memory_batch', { operation: 'add_nodes', nodes })
    }
  }
  for (const [tool, operation, type, field] of [
    ['todo', 'list', 'todo', 'todos'],
    ['todo_list', 'list', 'todoList', 'lists'],
    ['memory_lock', 'query_available', 'todo', 'nodes'],
    ['memory_node', 'query', 'todoList', 'nodes'],
  ] as const) {
    const found: string[] = []
    let cursor: string | undefined
    do {
      const args = {
        operation,
        ...(operation === 'list' ? {} : { type }),
        ...(cursor ? { cursor } : {}),
      }
      const page = await mcp.call(tool, args)
      assert.equal(page.count, page[field].length)
      found.push(...page[field].map(({ id }: { id: string }) => id))
      cursor = page.nextCursor
    } while (cursor)
    assert.deepEqual(found, ids.map((id) => `${type}-${id}`).toReversed(), tool)
  }
})

test('a list that is archived twice at once removes its completed TODOs once', async () => {
  await using mimir = await boot()
  await using mcp = await clientOf(mimir)
  const { list } = await mcp.call('todo_list', { operation: 'create', title: 'done with' })
  for (const status of ['completed', 'completed', 'pending']) {
    await mcp.call('todo', { operation: 'create', title: status, status, list_id: list.id })
  }
  const archive = { operation: 'archive', list_id: list.id, remove_completed: true }
  const answers = await Promise.all([1, 2, 3].map(() => mcp.call('todo_list', archive)))
  assert.deepEqual(answers.map(({ removed }) => removed).sort(), [0, 0, 2])
  await clearTwiceAtOnce(mcp, 'todo')
  assert.equal((await mcp.call('todo_list', archive)).removed, 0)
  const { read } = mimir.app.ctx.db
  const vaults = await read.selectFrom('node_vaults').select('node_count').execute()
  assert.deepEqual(vaults, [{ node_count: 1 }])
})

async function clearTwiceAtOnce(mcp: McpClient, type: string): Promise<void> {
  const asked = await Promise.all([1, 2].map(() => mcp.call('memory_clear', { type })))
  const answers = await Promise.all(
    asked.map(({ confirmationId }) =>
      mcp.call('memory_clear', { type, confirm: true, confirmationId }),
    ),
  )
  assert.deepEqual(answers.map(({ deletedNodes }) => deletedNodes).sort(), [0, 1])
}
