import assert from 'node:assert/strict'
import { test } from 'node:test'
import { McpApp } from '../harness/mcp-oauth.ts'
import { bootWithAddress, browserOf } from '../harness/oauth.ts'
import { assertDone } from '../harness/rest.ts'
import type { WebBrowser } from '../harness/web-browser.ts'

/** A person who opens the client's address and ticks these scopes. */
function saysYes(browser: WebBrowser, ticked: Record<string, string>) {
  return async (address: URL) => {
    const page = await browser.open(address.href)
    assert.equal(page.status, 200, page.text)
    await browser.submit(page, { decision: 'allow', ...ticked })
  }
}

test('the official client gets in by itself, calls tools, goes on, and asks for more', async () => {
  await using mimir = await bootWithAddress()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  await bob.say(conversationId, 'hello')
  const browser = await browserOf(mimir.publicUrl, alice)
  const ticked: Record<string, string> = { 'mcp:read': 'on' }
  await using app = await new McpApp(mimir.publicUrl, saysYes(browser, ticked)).listen()

  const { tools } = await app.run((client) => client.listTools())
  assert.ok(tools.some(({ name }) => name === 'memory_node'))
  assert.equal(app.asked, 1)
  // The access token expires, and the client refreshes it without the person.
  mimir.clock.advance(16 * 60_000)
  assert.equal((await app.call('vector_search_nodes', { query: 'anything' })).count, 0)
  assert.equal(app.asked, 1)

  // Step-up: told which scope it lacks, it asks its person, who signed in long ago.
  await browserSignsInAgain(browser, mimir.publicUrl, alice.password)
  Object.assign(ticked, { 'mcp:write': 'on' })
  const todo = { operation: 'create', title: 'buy milk' }
  assert.equal((await app.call('todo', todo)).todo.title, 'buy milk')
  assert.equal(app.asked, 2)
  Object.assign(ticked, { 'messages:read': 'on' })
  const read = await app.call('messages_read', { conversationId })
  assert.equal(read.messages.length, 1)
  assert.equal(app.asked, 3)
  assert.equal((await app.call('todo', todo)).todo.title, 'buy milk')

  const { accessToken } = await alice.signIn()
  const grants = assertDone(await mimir.rest(accessToken).get('/api/me/oauth-grants'))
  assert.deepEqual(
    grants.map(({ scopes }: { scopes: string[] }) => scopes.length),
    [3, 2, 1],
  )
})

test('an answer that comes in another server’s name, or in nobody’s, gets the official client nowhere', async () => {
  await using mimir = await bootWithAddress()
  const browser = await browserOf(mimir.publicUrl, await mimir.person('alice'))
  for (const spoil of [
    (answer: URLSearchParams) => answer.set('iss', 'https://evil.example.org'),
    (answer: URLSearchParams) => answer.delete('iss'),
  ]) {
    const visit = saysYes(browser, { 'mcp:read': 'on' })
    await using app = await new McpApp(mimir.publicUrl, visit).listen()
    app.onTheWay = spoil
    await assert.rejects(
      app.run((client) => client.listTools()),
      { name: 'IssuerMismatchError' },
    )
    assert.equal(app.tokens(), undefined)
  }
  const codes = await mimir.app.ctx.db.read.selectFrom('oauth_codes').selectAll().execute()
  assert.deepEqual(
    codes.map(({ used_at }) => used_at),
    [null, null],
  )
})

async function browserSignsInAgain(browser: WebBrowser, url: string, password: string) {
  const { status } = await browser.post(`${url}/auth/sign-in`, {
    usernameOrEmail: 'alice',
    password,
  })
  assert.equal(status, 200)
}
