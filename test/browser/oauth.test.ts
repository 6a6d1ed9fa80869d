import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Page, startChromium } from '../harness/chromium.ts'
import { McpApp } from '../harness/mcp-oauth.ts'
import { bootWithAddress } from '../harness/oauth.ts'
import type { Person } from '../harness/people.ts'
import { systemProgram } from '../harness/program.ts'

const { path, skip } = systemProgram('chromium')

test('somebody lets the official client in, in a real browser, and shuts it out', {
  skip,
}, async () => {
  await using stack = new AsyncDisposableStack()
  const mimir = stack.use(await bootWithAddress())
  const url = mimir.publicUrl
  const alice = await mimir.person('alice')
  const browser = await startChromium(path)
  stack.defer(() => browser.close())
  const page = await browser.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    if (/policy|refused/i.test(message.text())) problems.push(message.text())
  })

  const visit = async (address: URL) => {
    await page.goto(address.href)
    await signIn(page, alice)
    assert.match((await page.textContent('h1')) ?? '', /Let The official client act/)
    assert.equal(await page.isChecked('[name="mcp:read"]'), true)
    assert.equal(await page.isChecked('[name="messages:read"]'), false)
    await page.check('[name="conversations:read"]')
    await page.click('button:text-is("Allow")')
    await page.waitForURL(/^http:\/\/127\.0\.0\.1:\d+\/callback/)
    await page.waitForSelector('text=You can close this window.')
  }
  const app = stack.use(await new McpApp(url, visit).listen())
  const { tools } = await app.run((client) => client.listTools())
  const names = tools.map(({ name }) => name)
  assert.ok(names.includes('memory_clear') && names.includes('conversations_list'))
  assert.ok(!names.includes('messages_read'))
  // Every granted tool responds, whatever it makes of missing arguments.
  for (const name of names) {
    await app.run((client) => client.callTool({ name, arguments: {} }))
  }
  const { todo } = await app.call('todo', { operation: 'create', title: 'buy milk' })
  assert.equal(todo.title, 'buy milk')
  assert.deepEqual((await app.call('conversations_list')).conversations, [])
  assert.equal(app.asked, 1)

  await page.goto(`${url}/auth/account`)
  await page.click('text=AI clients you have allowed')
  await page.click('button:text-is("Revoke")')
  await page.waitForSelector('text=There are none.')
  await assert.rejects(app.client.listTools())
  assert.deepEqual(problems, [])
})

/** Signs in on the page that a browser without a session is sent to, which leads back to the consent page. */
async function signIn(page: Page, { name, password }: Person): Promise<void> {
  assert.match(page.url(), /\/auth\/sign-in\?return_to=/)
  await page.fill('input[name=usernameOrEmail]', name)
  await page.fill('input[name=password]', password)
  await page.click('button:text-is("Sign in")')
  await page.waitForURL(/\/oauth\/authorize\?/)
}
