import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { tools } from '../../src/app/features.ts'
import { boot } from '../harness/boot.ts'
import { makeKey } from '../harness/keys.ts'
import { McpClient } from '../harness/mcp.ts'

interface Example {
  readonly say: string
  readonly tool: string
  readonly args: Record<string, unknown>
  readonly answer: unknown
  /** Names for parts of the answer, by path, which later examples use. */
  readonly keep?: Record<string, string>
}

const EXAMPLES: Example[] = JSON.parse(
  readFileSync(new URL('./examples.json', import.meta.url), 'utf8'),
)

/** Replaces `$name` with the kept values. */
function fill(value: unknown, kept: Record<string, unknown>): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part) =>
      typeof part === 'string' && part.startsWith('$') ? kept[part.slice(1)] : part,
    ),
  )
}

/** Asserts that the answer is as expected; `@` matches anything. */
function assertLike(actual: unknown, expected: unknown, say: string): void {
  if (expected === '@') {
    assert.notEqual(actual, undefined, say)
  } else if (Array.isArray(expected)) {
    assert.ok(
      Array.isArray(actual) && actual.length === expected.length,
      `${say}: ${JSON.stringify(actual)}`,
    )
    expected.forEach((one, index) => {
      assertLike(actual[index], one, say)
    })
  } else if (typeof expected === 'object' && expected !== null) {
    assert.deepEqual(Object.keys(actual as object).sort(), Object.keys(expected).sort(), say)
    for (const [name, one] of Object.entries(expected)) {
      assertLike((actual as Record<string, unknown>)[name], one, `${say}: ${name}`)
    }
  } else assert.deepEqual(actual, expected, say)
}

test('the calls that existing prompts make are answered as they expect', async () => {
  await using mimir = await boot()
  await mimir.person('alice')
  const { key } = await makeKey(mimir, 'ai', { user: 'alice', scopes: ['mcp:read', 'mcp:write'] })
  await using mcp = await new McpClient().connect(mimir.url, key)
  const kept: Record<string, unknown> = {}
  for (const { say, tool, args, answer, keep = {} } of EXAMPLES) {
    const given = await mcp.call(tool, fill(args, kept) as Record<string, unknown>)
    assertLike(given, fill(answer, kept), say)
    for (const [name, path] of Object.entries(keep)) {
      kept[name] = path.split('.').reduce((part, field) => part[field], given)
    }
  }
})

test('what changes the memory leaves exactly one audit event, and what only looks none', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  const events = async () => {
    const { read } = mimir.app.ctx.db
    const rows = await read.selectFrom('audit_events').select('type').execute()
    return rows.map(({ type }) => type)
  }
  const changed = new Set<string>()
  const kept: Record<string, unknown> = {}
  for (const { say, tool, args, keep = {} } of EXAMPLES) {
    const before = await events()
    const given = await mcp.call(tool, fill(args, kept) as Record<string, unknown>)
    for (const [name, path] of Object.entries(keep)) {
      kept[name] = path.split('.').reduce((part, field) => part[field], given)
    }
    const operation = String(args.operation ?? 'type')
    const definition = tools.find(({ name }) => name === tool)
    const { permission } = definition?.operations.get(operation) ?? {}
    const isDone = given.success === true || given.status === 'success'
    const changes = isDone && permission === 'mcp:write'
    const left = (await events()).slice(before.length)
    assert.equal(left.length, changes ? 1 : 0, `${say}: ${left}`)
    if (changes) changed.add(`${tool}/${operation}`)
  }
  const writing = tools.flatMap(({ name, operations }) =>
    [...operations]
      .filter(([, { permission }]) => permission === 'mcp:write')
      .map(([operation]) => `${name}/${operation}`),
  )
  assert.deepEqual(
    writing.filter((one) => !changed.has(one)),
    [],
  )
})

test('the list of tools is what the caller may use, with schemas and hints', async () => {
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
  for (const { inputSchema, outputSchema, annotations, description } of tools) {
    assert.equal(inputSchema.type, 'object')
    assert.equal(outputSchema?.type, 'object')
    assert.equal(typeof annotations?.readOnlyHint, 'boolean')
    assert.ok(description)
  }
  // The schemas are part of a model's prompt: no pattern repeats what a format says already.
  assert.doesNotMatch(
    JSON.stringify(tools),
    /"format":"[^"]+","pattern"|"pattern":"[^"]+","format"/,
  )
  const list = tools.find(({ name }) => name === 'todo_list')?.inputSchema
  assert.match(
    JSON.stringify(list?.properties?.operation),
    /create\(title\), get\(list_id\), .*add_todo\(list_id, todo_id\)/,
  )
  const clear = tools.find(({ name }) => name === 'memory_clear')
  assert.deepEqual(clear?.inputSchema.required, ['type'])
  const search = tools.find(({ name }) => name === 'vector_search_nodes')
  assert.equal(search?.annotations?.readOnlyHint, true)
  const node = tools.find(({ name }) => name === 'memory_node')
  assert.equal(node?.annotations?.destructiveHint, true)
  // Some arguments are not the same in all operations: `query` takes several types, and `depth` has two defaults.
  assert.match(
    JSON.stringify(node?.inputSchema.properties?.type),
    /^\{"anyOf":\[\{"type":"string".*"type":"array"/,
  )
  const edge = tools.find(({ name }) => name === 'memory_edge')
  assert.doesNotMatch(JSON.stringify(edge?.inputSchema.properties?.depth), /default/)
})

test('clearing everything is for who may administer the memory', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  const refused = await mcp.call('memory_clear', { type: 'ALL' })
  assert.equal(refused.code, 'insufficient_permission')
})

test('the messenger’s tools stay shut to a sign-in: they are granted by name', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  for (const [name, args] of [
    ['conversations_list', {}],
    ['messages_read', { conversationId }],
    ['messages_search', { q: 'hello' }],
    ['message_send', { conversationId, content: 'hello' }],
  ] as const) {
    await assert.rejects(mcp.client.callTool({ name, arguments: args }), name)
  }
})

test('a confirmation is bound to its caller and to what it was asked for', async () => {
  await using mimir = await boot()
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  await using mine = await new McpClient().connect(mimir.url, alice.accessToken)
  await using theirs = await new McpClient().connect(mimir.url, bob.accessToken)
  for (const mcp of [mine, theirs]) {
    for (const id of ['one', 'two']) {
      await mcp.call('memory_node', { operation: 'add', type: 'memory', id })
    }
  }
  const { confirmationId } = await mine.call('memory_node', { operation: 'delete', id: 'one' })
  const confirmed = { operation: 'delete', confirm: true, confirmationId }
  for (const [mcp, id] of [
    [theirs, 'one'],
    [mine, 'two'],
  ] as const) {
    const refused = await mcp.call('memory_node', { ...confirmed, id })
    assert.equal(refused.code, 'invalid_confirmation')
  }
  const bare = await mine.call('memory_node', { operation: 'delete', id: 'one', confirm: true })
  assert.equal(bare.code, 'invalid_confirmation')
  mimir.clock.advance(5 * 60_000 + 1)
  const late = await mine.call('memory_node', { ...confirmed, id: 'one' })
  assert.equal(late.code, 'invalid_confirmation')
})

test('a lock whose time is over is free, and its own agent may prolong it', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  await mcp.call('memory_node', { operation: 'add', type: 'project', id: 'p' })
  const acquire = (agent_id: string) =>
    mcp.call('memory_lock', { operation: 'acquire', node_id: 'p', agent_id, timeout_ms: 60_000 })
  const first = await acquire('one')
  mimir.clock.advance(30_000)
  const again = await acquire('one')
  assert.ok(again.expires > first.expires)
  mimir.clock.advance(45_000)
  assert.equal((await acquire('two')).code, 'node_locked')
  mimir.clock.advance(30_000)
  assert.equal((await acquire('two')).locked, true)
  const release = { operation: 'release', node_id: 'p', agent_id: 'one' }
  assert.equal((await mcp.call('memory_lock', release)).code, 'node_not_locked')
  mimir.clock.advance(60_000)
  assert.equal((await mcp.call('memory_lock', { operation: 'cleanup' })).cleaned, 1)
})
