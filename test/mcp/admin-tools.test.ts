import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { McpClient } from '../harness/mcp.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused, type Rest } from '../harness/rest.ts'

const MINUTE = 60_000
const ALL = [
  'mcp:admin',
  'invites:read',
  'invites:write',
  'users:read',
  'users:write',
  'audit:read',
]

async function keyFor(mimir: Appliance, user: string, ...scopes: string[]): Promise<string> {
  return (await mimir.command('apikey.create', { name: 'ops', user, scopes })).key
}

/** The server's messages to a person, oldest first, with their conversation. */
async function saidTo(rest: Rest): Promise<{ conversationId: string; texts: string[] }> {
  const inbox = assertDone(await rest.get('/api/conversations'))
  const own = inbox.find((one: Record<string, string>) => one.otherDisplayName === 'Mimir')
  if (!own) return { conversationId: '', texts: [] }
  const messages = assertDone(await rest.get(`/api/messages/${own.id}`))
  const texts = messages
    .filter(({ senderId }: Record<string, string>) => senderId === own.otherUserId)
    .map(({ content }: Record<string, string>) => content)
  return { conversationId: own.id, texts }
}

/** The newest confirmation request. */
async function asked(
  person: Person,
): Promise<{ conversationId: string; code: string; text: string }> {
  const { conversationId, texts } = await saidTo(person.rest)
  const text = texts.findLast((one) => one.includes('yes ')) ?? ''
  const code = /^yes ([A-Z0-9]{6})$/m.exec(text)?.[1] ?? ''
  assert.ok(code, `nobody was asked: ${texts}`)
  return { conversationId, code, text }
}

async function decided(mcp: McpClient, tool: string, changeId: string) {
  return eventually(async () => {
    const { change } = await mcp.call(tool, { operation: 'state', changeId })
    return change.state !== 'pending' && change
  }, 'nothing was decided')
}

async function auditOf(mimir: Appliance, ...types: string[]) {
  const rows = await mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .selectAll()
    .where('type', 'in', types)
    .orderBy('id')
    .execute()
  return rows.map(({ type, actor_id }) => [type, actor_id])
}

const invitationsOf = async (person: Person) =>
  assertDone(await person.rest.get('/api/admin/invitations')).length

test('each administrators’ tool is there only for who was granted both of its permissions', async () => {
  await using mimir = await boot()
  await mimir.admin('alice')
  await mimir.person('bob')
  const toolsOf = async (...scopes: string[]) => {
    await using mcp = await new McpClient().connect(
      mimir.url,
      await keyFor(mimir, 'alice', ...scopes),
    )
    const { tools } = await mcp.client.listTools()
    const own = tools.filter(({ name }) => /^(server_|invit|approv|audit)/.test(name))
    return own.map(({ name, annotations }) => [name, annotations?.readOnlyHint])
  }
  assert.deepEqual(await toolsOf('mcp:read', 'invites:write', 'users:write', 'audit:read'), [])
  assert.deepEqual(await toolsOf('mcp:read', 'mcp:admin'), [])
  assert.deepEqual(await toolsOf('mcp:admin', 'invites:read'), [['invitations', true]])
  assert.deepEqual(await toolsOf(...ALL), [
    ['server_doctor', true],
    ['invitations', false],
    ['approvals', false],
    ['audit_read', true],
  ])
  const tooWide = mimir.command('apikey.create', { name: 'x', user: 'bob', scopes: ['mcp:admin'] })
  await assert.rejects(tooWide)

  const narrow = await keyFor(mimir, 'alice', 'mcp:admin', 'invites:read')
  const response = await fetch(`${mimir.url}/mcp`, {
    method: 'POST',
    headers: { 'x-api-key': narrow },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'invitations', arguments: { operation: 'create' } },
    }),
  })
  assert.equal(response.status, 403)
  assert.match(response.headers.get('www-authenticate') ?? '', /scope="invites:write"/)
})

test('what reads tells how the server is and what was done, and changes nothing', async () => {
  await using mimir = await boot()
  const alice = await mimir.admin('alice')
  const bob = await mimir.person('bob')
  await alice.befriend(bob)
  await alice.say(await alice.dm(bob), 'a very private matter')
  await using mcp = await new McpClient().connect(mimir.url, await keyFor(mimir, 'alice', ...ALL))
  const doctor = await mcp.call('server_doctor')
  assert.deepEqual([doctor.status, doctor.security, doctor.accountsWaiting], ['healthy', true, 0])
  const { events, untrusted } = await mcp.call('audit_read', { limit: 500 })
  assert.equal(untrusted, true)
  assert.ok(events.some(({ type }: Record<string, string>) => type === 'conversation.created'))
  const before = await invitationsOf(alice)
  const planned = await mcp.call('invitations', { operation: 'create', note: 'for Zoe' })
  assert.deepEqual(
    [planned.dryRun, planned.description],
    [true, 'create an invitation for one person, valid for 7 days, with the note “for Zoe”'],
  )
  const { invitations } = await mcp.call('invitations', { operation: 'list' })
  assert.equal(invitations.length, before)
  assert.deepEqual((await saidTo(alice.rest)).texts, [])
  const everything = JSON.stringify([doctor, events, planned, invitations])
  assert.ok(!everything.includes('a very private matter'))
  assert.deepEqual(await auditOf(mimir, 'change.requested', 'audit.read'), [
    ['audit.read', alice.id],
  ])
})

test('a change is done once, when the administrator says yes to it in the chat', async () => {
  await using mimir = await boot({ env: { MIMIR_PUBLIC_URL: 'https://chat.example.org' } })
  const alice = await mimir.admin('alice')
  const other = await mimir.admin('other')
  const before = await invitationsOf(alice)
  await using mcp = await new McpClient().connect(mimir.url, await keyFor(mimir, 'alice', ...ALL))
  const note = 'x”. It is safe. “'
  const args = { operation: 'create', note, expiryDays: 3, dryRun: false }
  const { change } = await mcp.call('invitations', args)
  assert.equal(change.state, 'pending')
  const { conversationId, code, text } = await asked(alice)
  assert.match(text, /It acts as alice \(key \w{8}\)\./)
  assert.match(text, /valid for 3 days, with the note “x'\. It is safe\. '”\./)
  assert.ok(!JSON.stringify(change).includes(code))
  // The key is hers, so nobody else is asked.
  assert.deepEqual((await saidTo(other.rest)).texts, [])
  const { members } = assertDone(await alice.rest.get(`/api/conversations/${conversationId}`))
  const server = members.find(({ userId }: { userId: string }) => userId !== alice.id)
  assert.deepEqual([server.username, server.isBot], ['mimir', true])

  for (const words of ['yes', code, 'yes AAAAAA', `yes ${code} or rather not`]) {
    await alice.say(conversationId, words)
  }
  await alice.say(conversationId, `Yes ${code.toLowerCase()}!`)
  await alice.say(conversationId, `yes ${code}`)
  const done = await decided(mcp, 'invitations', change.changeId)
  assert.equal(done.state, 'done')
  assert.deepEqual(Object.keys(done.outcome).sort(), ['expiresAt', 'invitationId'])
  const link = await eventually(async () => {
    const { texts } = await saidTo(alice.rest)
    return /^Done: the invitation is https:\/\/chat\.example\.org\/join\/(\S+)$/.exec(
      texts.at(-1) ?? '',
    )
  }, 'nobody was told')
  assert.ok(!JSON.stringify(done).includes(link[1] as string))
  assert.equal(await invitationsOf(alice), before + 1)
  assert.deepEqual(await auditOf(mimir, 'change.requested', 'change.approved'), [
    ['change.requested', alice.id],
    ['change.approved', alice.id],
  ])
  const revoke = { operation: 'revoke', id: done.outcome.invitationId, dryRun: false }
  const second = await mcp.call('invitations', revoke)
  const question = await asked(alice)
  await alice.say(question.conversationId, `no ${question.code}`)
  await alice.say(question.conversationId, `yes ${question.code}`)
  assert.equal((await decided(mcp, 'invitations', second.change.changeId)).state, 'refused')
  const listed = assertDone(await alice.rest.get('/api/admin/invitations'))
  const kept = listed.find(({ id }: { id: string }) => id === done.outcome.invitationId)
  assert.equal(kept.status, 'Active')
})

test('nobody else’s yes counts: not a program’s, nor one said elsewhere, nor one too late', async () => {
  await using mimir = await boot()
  const alice = await mimir.admin('alice')
  const bob = await mimir.admin('bob')
  await alice.befriend(bob)
  const before = await invitationsOf(alice)
  const key = await keyFor(mimir, 'alice', ...ALL, 'messages:write', 'messages:read')
  await using mcp = await new McpClient().connect(mimir.url, key)
  const create = { operation: 'create', dryRun: false }
  const { change } = await mcp.call('invitations', create)
  const { conversationId, code } = await asked(alice)
  const yes = `yes ${code}`

  const byTool = await mcp.call('message_send', { conversationId, content: yes })
  assert.equal(byTool.code, 'forbidden')
  const byKey = await mimir.rest(key).post(`/api/messages/${conversationId}`, { content: yes })
  assertRefused(byKey, 403, 'forbidden')
  const said = await alice.say(conversationId, 'maybe')
  assertDone(await mimir.rest(key).patch(`/api/messages/${said.id}`, { content: yes }), 204)
  const dm = await alice.dm(bob)
  await bob.say(dm, yes)
  await alice.say(dm, yes)
  assertRefused(
    await bob.rest.post(`/api/messages/${conversationId}`, { content: yes }),
    403,
    'forbidden',
  )
  // A decision on another change shows that all of this was processed.
  const { change: second } = await mcp.call('invitations', create)
  await alice.say(conversationId, `no ${(await asked(alice)).code}`)
  assert.equal((await decided(mcp, 'invitations', second.changeId)).state, 'refused')
  const state = async (id: string) =>
    (await mcp.call('invitations', { operation: 'state', changeId: id })).change.state
  assert.equal(await state(change.changeId), 'pending')

  mimir.clock.advance(10 * MINUTE + 1)
  await alice.say(conversationId, yes)
  const { change: third } = await mcp.call('invitations', create)
  await alice.say(conversationId, `no ${(await asked(alice)).code}`)
  assert.equal((await decided(mcp, 'invitations', third.changeId)).state, 'refused')
  assert.equal(await state(change.changeId), 'expired')
  await mimir.app.jobs.runNow('note-expired-changes')
  assert.deepEqual(await auditOf(mimir, 'change.expired', 'change.approved'), [
    ['change.expired', null],
  ])
  assert.equal(await invitationsOf(alice), before)
  const foreign = await mcp.call('approvals', { operation: 'state', changeId: said.id })
  assert.equal(foreign.code, 'not_found')
})

test('of a service’s key every administrator is asked; what can no longer be done is said so', async () => {
  await using mimir = await boot()
  const [alice, bob] = [await mimir.admin('alice'), await mimir.admin('bob')]
  const scopes = ['mcp:admin', 'invites:read', 'invites:write']
  const made = await mimir.command('apikey.create', { name: 'steward', scopes })
  await using mcp = await new McpClient().connect(mimir.url, made.key)
  const create = { operation: 'create', dryRun: false }
  const { change } = await mcp.call('invitations', create)
  assert.equal((await asked(alice)).code, (await asked(bob)).code)
  const { conversationId, code } = await asked(bob)
  await bob.say(conversationId, `yes ${code}`)
  assert.equal((await decided(mcp, 'invitations', change.changeId)).state, 'done')
  assert.deepEqual(await auditOf(mimir, 'change.approved'), [['change.approved', bob.id]])

  for (let n = 0; n < 3; n++) assert.equal((await mcp.call('invitations', create)).success, true)
  assert.equal((await mcp.call('invitations', create)).code, 'too_many_changes')
  const question = await asked(alice)
  await mimir.command('apikey.revoke', { id: made.id })
  await alice.say(question.conversationId, `yes ${question.code}`)
  await eventually(async () => {
    const { texts } = await saidTo(alice.rest)
    return texts.at(-1)?.startsWith('It could not be done')
  }, 'nobody was told')
  assert.equal((await auditOf(mimir, 'change.failed')).length, 1)
})

test('each program has three changes awaiting approval at most, however many it asks for at once', async () => {
  await using mimir = await boot()
  await mimir.admin('alice')
  const scopes = ['mcp:admin', 'invites:write']
  const programs = ['steward', 'butler'].map(async (name) => {
    const { key } = await mimir.command('apikey.create', { name, scopes })
    await using mcp = await new McpClient().connect(mimir.url, key)
    const create = { operation: 'create', dryRun: false }
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => mcp.call('invitations', create)),
    )
    return answers.map(({ code = 'asked' }) => code).sort()
  })
  const refused = 'too_many_changes'
  for (const codes of await Promise.all(programs)) {
    assert.deepEqual(codes, ['asked', 'asked', 'asked', refused, refused, refused])
  }
})

test('accounts are let in by a yes that was said while the server was away', async () => {
  await using mimir = await boot()
  const alice = await mimir.admin('alice')
  const { token } = await mimir.command('invite.create')
  const newcomer = { email: 'zoe@example.org', username: 'zoe', password: 'long enough' }
  const register = { invitationToken: token, ...newcomer }
  assertDone(await mimir.rest().post('/api/auth/register', register))
  await using mcp = await new McpClient().connect(mimir.url, await keyFor(mimir, 'alice', ...ALL))
  const { waiting } = await mcp.call('approvals', { operation: 'list' })
  const args = { operation: 'approve', id: waiting[0].id, dryRun: false }
  assert.match(
    (await mcp.call('approvals', args)).description,
    /^approve zoe \(“zoe@example\.org”\)$/,
  )
  const { conversationId, code } = await asked(alice)
  const rejected = await mcp.call('approvals', { ...args, operation: 'reject' })
  const second = (await asked(alice)).code
  assert.notEqual(second, code)

  // Stopped right after the answer: it makes no difference whether it was processed before or after.
  await alice.say(conversationId, `yes ${code}`)
  await mimir.restart()
  const login = { usernameOrEmail: 'zoe', password: newcomer.password }
  await eventually(
    async () => (await mimir.rest().post('/api/auth/login', login)).status === 200,
    'she was not let in',
  )
  await alice.say(conversationId, `yes ${second}`)
  await eventually(
    async () => (await saidTo(alice.rest)).texts.at(-1)?.startsWith('It could'),
    'told',
  )
  assertDone(await mimir.rest().post('/api/auth/login', login))
  assert.equal(rejected.change.state, 'pending')
})

test('nobody gets a key for the account that the server speaks as, whoever had the name before', async () => {
  await using mimir = await boot()
  const impostor = await mimir.person('mimir')
  const alice = await mimir.admin('alice')
  await using mcp = await new McpClient().connect(mimir.url, await keyFor(mimir, 'alice', ...ALL))
  await mcp.call('invitations', { operation: 'create', dryRun: false })
  const { conversationId } = await asked(alice)
  const { members } = assertDone(await alice.rest.get(`/api/conversations/${conversationId}`))
  const server = members.find(({ isBot }: { isBot?: true }) => isBot)
  assert.match(server.username, /^mimir_[0-9a-f]{12}$/)
  assert.notEqual(server.userId, impostor.id)
  for (const name of [server.username, 'mimir']) {
    await assert.rejects(mimir.command('apikey.create', { name }))
  }
})

test('an administrator who has shut the server’s account out is not asked', async () => {
  await using mimir = await boot()
  const alice = await mimir.admin('alice')
  await using mcp = await new McpClient().connect(mimir.url, await keyFor(mimir, 'alice', ...ALL))
  const create = { operation: 'create', dryRun: false }
  await mcp.call('invitations', create)
  const { conversationId } = await asked(alice)
  const { members } = assertDone(await alice.rest.get(`/api/conversations/${conversationId}`))
  const server = members.find(({ isBot }: { isBot?: true }) => isBot)
  assertDone(await alice.rest.post(`/api/friends/${server.userId}/block`), 204)
  assert.equal((await mcp.call('invitations', create)).code, 'no_approver')
})
