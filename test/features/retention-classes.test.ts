import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { auditOf, makeKey } from '../harness/keys.ts'
import { McpClient } from '../harness/mcp.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'

const KEEP_A_YEAR = { MIMIR_DATA_RETENTION_ENABLED: 'true' }

const run = (mimir: Appliance) => mimir.command('retention.run')

/** Rows due by class, leaving out people's sessions, which end along the way. */
async function dueOf(mimir: Appliance): Promise<Record<string, number>> {
  const shown: { class: string; rows: number }[] = await mimir.command('retention.show')
  const due = shown.filter((one) => one.rows > 0 && one.class !== 'ended sessions')
  return Object.fromEntries(due.map((one) => [one.class, one.rows]))
}

async function daysOf(mimir: Appliance): Promise<Record<string, number>> {
  const shown: { class: string; days: number }[] = await mimir.command('retention.show')
  return Object.fromEntries(shown.map((one) => [one.class, one.days]))
}

const hold = (mimir: Appliance, name: string) =>
  mimir.command('retention.hold', { subject: 'user', name, reason: 'case 1' })

async function add(who: Person, type: string, id: string, properties: object = {}): Promise<void> {
  assertDone(await who.rest.post('/api/nodes', { type, id, properties }), 201)
}

test('every class says how long it is kept, as the administrator chose', async () => {
  const whatPeopleWrote = [
    'messages',
    'completed TODOs',
    'archived TODO lists',
    'memories and other nodes',
  ]
  const rest = {
    'marks of deleted messages': 31,
    'resolved reports': 365,
    'revoked and expired API keys': 365,
    'receipts of exports and erasures': 1095,
    'consents of erased accounts': 1095,
    'ended sessions': 1,
    'audit log': 365,
  }
  const written = (...days: number[]) =>
    Object.fromEntries(whatPeopleWrote.map((name, index) => [name, days[index]]))

  await using off = await boot()
  assert.deepEqual(await daysOf(off), { ...written(0, 0, 0, 0), ...rest })
  await using on = await boot({ env: KEEP_A_YEAR })
  assert.deepEqual(await daysOf(on), { ...written(365, 90, 90, 365), ...rest })
  const policies = '{"message":7,"todo":30,"todoList":0,"file":730}'
  const chosen = { ...written(7, 30, 0, 180), ...rest, 'nodes of type file': 730 }
  for (const name of ['MIMIR_DATA_RETENTION_POLICIES', 'MIMIR_RETENTION_POLICY']) {
    const env = { ...KEEP_A_YEAR, MIMIR_DATA_RETENTION_DEFAULT_DAYS: '180', [name]: policies }
    await using mimir = await boot({ env })
    assert.deepEqual(await daysOf(mimir), chosen, name)
  }
})

test('policies that are no days by type, or two that differ, keep the server from starting', async () => {
  for (const wrong of ['90', '{', '{"todo":-1}', '{"todo":"90"}', '{"to do":90}', '["todo"]']) {
    const env = { MIMIR_DATA_RETENTION_POLICIES: wrong }
    await assert.rejects(boot({ env }), /MIMIR_DATA_RETENTION_POLICIES: has to be JSON/, wrong)
  }
  const env = {
    MIMIR_DATA_RETENTION_POLICIES: '{"todo":1}',
    MIMIR_RETENTION_POLICY: '{"todo":2}',
  }
  await assert.rejects(boot({ env }), /they differ/)
})

test('TODOs go 90 days after they were completed and lists after they were put away, open ones never', async () => {
  await using mimir = await boot({ env: KEEP_A_YEAR })
  const alice = await mimir.person('alice')
  await using mcp = await new McpClient().connect(mimir.url, alice.accessToken)
  const todo = async (title: string) =>
    (await mcp.call('todo', { operation: 'create', title })).todo.id as string
  const complete = (todo_id: string) => mcp.call('todo', { operation: 'complete', todo_id })
  const [done, reopened, open] = [await todo('done'), await todo('reopened'), await todo('open')]
  const list = async (title: string) =>
    (await mcp.call('todo_list', { operation: 'create', title })).list.id as string
  const [away, used] = [await list('away'), await list('used')]
  await complete(done)
  await complete(reopened)
  await mcp.call('todo', { operation: 'update', todo_id: reopened, status: 'in_progress' })
  await mcp.call('todo_list', { operation: 'archive', list_id: away })
  // Todos completed through the plain node tools count from then on too.
  await add(alice, 'todo', 'plain', { title: 'plain', status: 'completed' })
  // A completion time in the future would keep it forever.
  const completed_at = new Date(mimir.clock.now() + 1000 * DAY).toISOString()
  await add(alice, 'todo', 'later', { title: 'later', status: 'completed', completed_at })

  mimir.clock.advance(89 * DAY)
  assert.deepEqual(await dueOf(mimir), {})
  mimir.clock.advance(2 * DAY)
  assert.deepEqual(await dueOf(mimir), { 'completed TODOs': 3, 'archived TODO lists': 1 })
  await run(mimir)
  mimir.clock.advance(1000 * DAY)
  await run(mimir)
  const rest = mimir.rest((await alice.signIn()).accessToken)
  const { nodes } = assertDone(await rest.post('/api/nodes/query', { limit: 100 }))
  assert.deepEqual(nodes.map(({ id }: { id: string }) => id).sort(), [reopened, open, used].sort())
})

test('nodes go a year after their last change with terms, edges and locks, but not under a legal hold', async () => {
  const env = { ...KEEP_A_YEAR, MIMIR_DATA_RETENTION_POLICIES: '{"file":730}' }
  await using mimir = await boot({ env })
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  for (const who of [alice, bob]) {
    await add(who, 'memory', 'old', { title: 'marigold' })
    await add(who, 'memory', 'young', { title: 'marigold' })
    await add(who, 'file', 'file', {})
    await using mcp = await new McpClient().connect(mimir.url, who.accessToken)
    for (const target of ['young', 'file']) {
      await mcp.call('memory_edge', { operation: 'add', source: 'old', target, type: 'relates_to' })
    }
    await mcp.call('memory_lock', { operation: 'acquire', node_id: 'old', agent_id: 'agent' })
  }
  const onBob = await hold(mimir, 'bob')
  mimir.clock.advance(200 * DAY)
  for (const who of [alice, bob]) {
    const rest = mimir.rest((await who.signIn()).accessToken)
    assertDone(await rest.patch('/api/nodes/young', { props: { seen: true } }))
  }
  mimir.clock.advance(200 * DAY)
  assert.deepEqual(await dueOf(mimir), { 'memories and other nodes': 1 })
  await run(mimir)
  const { read } = mimir.app.ctx.db
  const left = async (owner: Person) => {
    const nodes = await read
      .selectFrom('nodes')
      .select(['id', 'key'])
      .where('owner_id', '=', owner.id)
      .execute()
    const keys = nodes.map(({ key }) => key)
    const vault = await read
      .selectFrom('node_vaults')
      .select('node_count')
      .where('owner_id', '=', owner.id)
      .executeTakeFirstOrThrow()
    const edges = await read
      .selectFrom('node_edges')
      .select('id')
      .where('owner_id', '=', owner.id)
      .execute()
    const locks = await read
      .selectFrom('node_locks')
      .select('node_key')
      .where('owner_id', '=', owner.id)
      .execute()
    const terms = await read
      .selectFrom('node_terms')
      .select('node_key')
      .where('node_key', 'in', keys)
      .execute()
    return {
      ids: nodes.map(({ id }) => id).sort(),
      counted: vault.node_count,
      edges: edges.length,
      locks: locks.length,
      terms: new Set(terms.map(({ node_key }) => node_key)).size,
    }
  }
  assert.deepEqual(await left(alice), {
    ids: ['file', 'young'],
    counted: 2,
    edges: 0,
    locks: 0,
    terms: 1,
  })
  assert.deepEqual(await left(bob), {
    ids: ['file', 'old', 'young'],
    counted: 3,
    edges: 2,
    locks: 1,
    terms: 2,
  })
  const terms = await read.selectFrom('node_terms').select('node_key').distinct().execute()
  assert.equal(terms.length, 3)
  const [ran] = await auditOf(mimir, 'retention.run')
  assert.deepEqual(ran?.details, { class: 'memories and other nodes', rows: 1 })

  await mimir.command('retention.lift', { id: onBob.id })
  await run(mimir)
  assert.deepEqual((await left(bob)).ids, ['file', 'young'])
  mimir.clock.advance(400 * DAY)
  assert.deepEqual(await dueOf(mimir).then((due) => due['nodes of type file']), 2)
})

test('many nodes of many owners go by one run, and each owner’s count is right after it', async () => {
  await using mimir = await boot({ env: KEEP_A_YEAR })
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  const addMany = async (who: Person, count: number) => {
    await using mcp = await new McpClient().connect(mimir.url, who.accessToken)
    for (let made = 0; made < count; made += 50) {
      const nodes = Array.from({ length: 50 }, () => ({ type: 'memory', properties: { x: 1 } }))
      await mcp.call('memory_batch', { operation: 'add_nodes', nodes })
    }
  }
  await addMany(alice, 450)
  await addMany(bob, 50)
  mimir.clock.advance(366 * DAY)
  assert.deepEqual(await dueOf(mimir), { 'memories and other nodes': 500 })
  await run(mimir)
  const { read } = mimir.app.ctx.db
  const vaults = await read.selectFrom('node_vaults').select(['node_count', 'bytes']).execute()
  assert.deepEqual(vaults, [
    { node_count: 0, bytes: 0 },
    { node_count: 0, bytes: 0 },
  ])
  assert.deepEqual(await read.selectFrom('node_terms').selectAll().execute(), [])
  const [alicesNodes] = await read.selectFrom('nodes').select('id').execute()
  assert.equal(alicesNodes, undefined)
})

test('a revoked API key’s record goes after a year, and stays while its owner is held', async () => {
  await using mimir = await boot()
  await mimir.person('alice')
  const names = async () =>
    (
      await mimir.app.ctx.db.read.selectFrom('api_keys').select('name').orderBy('name').execute()
    ).map(({ name }) => name)
  await makeKey(mimir, 'expires', { expiresInDays: 30 })
  const revoked = await makeKey(mimir, 'revoked', { expiresInDays: null })
  const held = await makeKey(mimir, 'held', { user: 'alice', expiresInDays: null })
  await makeKey(mimir, 'used', { expiresInDays: null })
  for (const { id } of [revoked, held]) await mimir.command('apikey.revoke', { id })
  const onAlice = await hold(mimir, 'alice')
  mimir.clock.advance(366 * DAY)
  assert.deepEqual(await dueOf(mimir), { 'revoked and expired API keys': 1 })
  mimir.clock.advance(31 * DAY)
  await run(mimir)
  assert.deepEqual(await names(), ['held', 'used'])
  await mimir.command('retention.lift', { id: onAlice.id })
  await run(mimir)
  assert.deepEqual(await names(), ['used'])
})

test('a resolved report stays while its message’s sender or conversation is held', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const { id } = await alice.say(dm, 'rude')
  assertDone(await bob.rest.post(`/api/messages/${id}/report`, { reason: 'rude' }), 204)
  const [report] = await mimir.command('report.list')
  await mimir.command('report.resolve', { id: report.id })
  mimir.clock.advance(366 * DAY)
  const due = async () => (await dueOf(mimir))['resolved reports'] ?? 0
  const onSender = await hold(mimir, 'alice')
  assert.equal(await due(), 0)
  await mimir.command('retention.lift', { id: onSender.id })
  const onConversation = { subject: 'conversation', name: dm, reason: 'case 1' }
  const { id: placed } = await mimir.command('retention.hold', onConversation)
  assert.equal(await due(), 0)
  await mimir.command('retention.lift', { id: placed })
  assert.equal(await due(), 1)
})

test('consents outlive an erased account by three years, and sessions of somebody held stay', async () => {
  await using mimir = await boot()
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  for (const who of [alice, bob]) {
    const consent = { purpose: 'newsletter', version: '1' }
    assertDone(await who.rest.post('/api/privacy/consents', consent), 201)
  }
  await mimir.command('user.erase', { user: 'alice', now: true })
  await hold(mimir, 'bob')
  const { read } = mimir.app.ctx.db
  const consents = () => read.selectFrom('consents').select('user_id').execute()
  mimir.clock.advance(1094 * DAY)
  await mimir.app.jobs.runNow('delete-expired-sessions')
  await run(mimir)
  assert.equal((await consents()).length, 2)
  mimir.clock.advance(2 * DAY)
  assert.equal((await dueOf(mimir))['consents of erased accounts'], 1)
  await run(mimir)
  assert.deepEqual(await consents(), [{ user_id: bob.id }])
  const sessions = await read.selectFrom('sessions').select('user_id').execute()
  assert.deepEqual(sessions, [{ user_id: bob.id }])
})
