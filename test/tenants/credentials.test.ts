import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routes } from '../../src/app/features.ts'
import { operationOf } from '../../src/http/define-route.ts'
import type { Appliance } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { HubClient } from '../harness/hub.ts'
import { auditOf, byKey, makeKey } from '../harness/keys.ts'
import { callTool } from '../harness/mcp.ts'
import { deviceOf } from '../harness/mls-people.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'
import { bootTwoTenants } from '../harness/tenants.ts'
import { WebBrowser } from '../harness/web-browser.ts'
import { walkable } from '../refusals/xrpc-values.ts'

const CLOSED = routes.filter(({ permission }) => permission !== 'public' && permission !== 'anyone')

test('a credential of one tenant opens nothing of another, by any operation', async () => {
  await using servers = await bootTwoTenants()
  const { acme, beta } = servers
  const ben = await beta.admin('ben')
  const { key, id } = await makeKey(beta, 'wide', { user: 'ben', scopes: ['*'] })
  const methods = await walkable()
  for (const credential of [ben.accessToken, key]) {
    const there = acme.rest(credential)
    for (const route of CLOSED) {
      const path = route.path.replaceAll(/\{\w+\}/g, 'x')
      const reply = await there.send(route.method.toUpperCase(), path)
      assert.equal(reply.status, 401, `${operationOf(route)}: ${JSON.stringify(reply.body)}`)
    }
    for (const { method, definition } of methods) {
      const verb = definition.type === 'procedure' ? 'POST' : 'GET'
      assert.equal((await there.send(verb, `/xrpc/${method.nsid}`)).status, 401, method.nsid)
    }
    assert.equal((await callTool(there, 'todo', {})).status, 401)
    assert.equal((await there.post('/hubs/dm/negotiate?negotiateVersion=1')).status, 401)
    await assert.rejects(new HubClient(acme.url, credential).start(), /401/)
  }
  // It works in the tenant that made it.
  assertDone(await byKey(beta, key).get('/api/me'))
  // The refusal is audited in the tenant that made it, like that of an unknown key.
  const denied = (await auditOf(acme, 'access.denied')).map(({ details, target_id, tenant_id }) => {
    assert.equal(tenant_id, 'acme')
    return [details.code, details.reason, target_id]
  })
  assert.ok(denied.length > 0)
  assert.deepEqual([...new Set(denied.map(String))], ['invalid_token,unknown_key,'])
  assert.deepEqual(await auditOf(beta, 'access.denied'), [])
  assert.ok(!JSON.stringify(await auditOf(acme, 'access.denied')).includes(id))
})

test('a browser that is signed in to one tenant is nobody to another', async () => {
  await using servers = await bootTwoTenants()
  const { acme, beta } = servers
  const ann = await acme.person('ann')
  const browser = new WebBrowser()
  const fields = { usernameOrEmail: ann.name, password: ann.password }
  await browser.post(`${acme.url}/auth/sign-in`, fields)
  assert.equal((await browser.request(`${acme.url}/api/me`)).status, 200)
  const cookie = browser.cookie(acme.url, 'mimir_session') as string
  browser.setCookie(beta.url, 'mimir_session', cookie)
  assert.equal((await browser.request(`${beta.url}/api/me`)).status, 401)
})

test('an invitation of one tenant lets nobody into another', async () => {
  await using servers = await bootTwoTenants()
  const { acme, beta } = servers
  const { token } = await acme.command('invite.create')
  const account = { email: 'eve@example.org', username: 'eve', password: 'a long password' }
  const join = (mimir: Appliance, invitationToken: string) =>
    mimir.rest().post('/api/auth/register', { ...account, invitationToken })
  const [there, nowhere] = [await join(beta, token), await join(beta, `${token.slice(0, -4)}AAAA`)]
  assert.equal(there.status, nowhere.status)
  assert.equal(there.body.error, nowhere.body.error)
  assert.equal(there.status, 400)
  assert.deepEqual(await beta.command('user.list'), [])
  assertDone(await join(acme, token))
  assert.equal((await acme.command('user.list'))[0].username, 'eve')
  assert.deepEqual(await beta.command('user.list'), [])
})

/** Collects what an event stream of the person sends. */
function listen({ url }: Appliance, { accessToken }: Person): { text: string } & Disposable {
  const stop = new AbortController()
  const heard = { text: '', [Symbol.dispose]: () => stop.abort() }
  const headers = { authorization: `Bearer ${accessToken}`, accept: 'text/event-stream' }
  const path = '/xrpc/blue.catbird.mls.subscribeConvoEvents'
  void (async () => {
    const { body } = await fetch(url + path, { headers, signal: stop.signal })
    for await (const part of body ?? []) heard.text += Buffer.from(part).toString()
  })().catch(() => {})
  return heard
}

/** Causes events: a friendship, a group, a message, a name, an encrypted conversation. */
async function stirUp(mimir: Appliance, word: string): Promise<void> {
  const [ann, bob] = await mimir.friends(`ann_${word}`, `bob_${word}`)
  await ann.connect()
  const groupId = await ann.group(`a group of ${word}`, bob)
  await ann.say(groupId, `a message of ${word}`)
  assertDone(await ann.rest.patch('/api/me', { displayName: `Ann ${word}` }))
  await (await deviceOf(mimir, ann)).createConvo()
}

test('hub and event streams of one tenant hear nothing of another', async () => {
  await using servers = await bootTwoTenants()
  const { acme, beta } = servers
  const [ann, ben] = await acme.friends('ann', 'ben')
  const hub = await ann.connect()
  using stream = listen(acme, ann)
  const groupId = await ben.group('ours', ann)
  await hub.event('ConversationCreated')
  const before = hub.received.length
  await stirUp(beta, 'beta')
  await stirUp(servers.mimir.tenant('beta', '127.0.0.1'), 'more')
  // Our message comes after all of theirs.
  await ben.say(groupId, 'the end')
  await hub.event('MessageReceived', ({ content }) => content === 'the end')
  const heard = hub.received.slice(before).map(({ name }) => name)
  assert.deepEqual(
    heard.filter((name) => name !== 'PresenceChanged'),
    ['MessageReceived'],
  )
  const device = await deviceOf(acme, ann)
  const convoId = await device.createConvo()
  const { newState, body } = await device.prepareMessage(convoId, 'the end')
  assertDone(await device.xrpc.post('sendMessage', body))
  assert.ok(newState)
  await eventually(() => stream.text.includes(convoId), 'the stream heard nothing of its own')
  const theirs = await beta.command('mls.list')
  assert.equal(theirs.length, 2)
  for (const convo of theirs) assert.ok(!stream.text.includes(convo.id))
})
