import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../harness/eventually.ts'
import { executable } from '../harness/executable.ts'
import { HubClient } from '../harness/hub.ts'
import { assertDone, Rest } from '../harness/rest.ts'
import { type Chroot, prepareChroot, runInChroot, spawnInChroot } from './chroot.ts'

const DATA = '/tmp/data'
const PASSWORD = 'correct horse battery'

// The first line of the README: one file, one command, two people who talk. The server runs where nothing
// else of this project exists; the clients run outside.
describe('the executable alone', () => {
  let chroot: Chroot
  let port: number
  let child: ChildProcess
  let output = ''

  const url = () => `http://127.0.0.1:${port}`

  async function serve(): Promise<void> {
    output = ''
    const args = ['serve', '--data-dir', DATA, '--listen', `127.0.0.1:${port}`]
    child = await spawnInChroot(executable(), args, { chroot })
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr?.resume()
    await eventually(() => output.includes(`listening on ${url()}\n`), 'no start')
  }

  async function stop(): Promise<number | null> {
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    return (await exit)[0] as number | null
  }

  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the result.
  async function order(...args: string[]): Promise<any> {
    const command = [...args, '--data-dir', DATA, '--json']
    const { status, stdout, stderr } = await runInChroot(executable(), command, { chroot })
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout)
  }

  /** Opens the link and submits its form as a browser would. */
  async function joinBy(link: string, username: string): Promise<void> {
    // The link names localhost; the server listens on only one of its addresses.
    const address = url() + new URL(link).pathname
    const page = await (await fetch(address)).text()
    assert.match(page, /<form method="post">/)
    for (const name of ['username', 'email', 'password'])
      assert.match(page, RegExp(`name="${name}"`))
    const form = new URLSearchParams({
      username,
      email: `${username}@example.org`,
      password: PASSWORD,
    })
    const answer = await fetch(address, { method: 'POST', body: form })
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), new RegExp(`Welcome, <strong>${username}</strong>`))
  }

  async function signIn(username: string) {
    const login = { usernameOrEmail: username, password: PASSWORD }
    const { accessToken } = assertDone(await new Rest(url()).post('/api/auth/login', login))
    const rest = new Rest(url(), { authorization: `Bearer ${accessToken}` })
    const hub = await new HubClient(url(), accessToken).start()
    return { id: assertDone(await rest.get('/api/me')).id as string, rest, hub }
  }

  before(async () => {
    chroot = await prepareChroot(executable())
    const finder = createServer().listen(0, '127.0.0.1')
    await once(finder, 'listening')
    port = (finder.address() as AddressInfo).port
    finder.close()
    await once(finder, 'close')
    await serve()
  })

  after(async () => {
    if (child && child.exitCode === null) child.kill('SIGKILL')
    await chroot.cleanup()
  })

  let conversationId: string
  let kept: string

  test('an invitation link of the first start and one of the command let two people in', async () => {
    const link = await eventually(() => /^http\S+\/join\/\S+$/m.exec(output)?.[0], 'no link')
    await joinBy(link, 'ada')
    await joinBy((await order('invite', 'create')).url, 'bob')
    assert.equal((await order('user', 'approve', 'ada')).status, 'Active')
    assert.equal((await order('user', 'approve', 'bob')).status, 'Active')
  })

  test('they become friends and talk', async () => {
    const [ada, bob] = [await signIn('ada'), await signIn('bob')]
    const { friendKey } = assertDone(await bob.rest.get('/api/me'))
    const request = assertDone(await ada.rest.post('/api/friends/requests', { friendKey }), 201)
    await bob.hub.event('FriendRequestReceived')
    assertDone(await bob.rest.post(`/api/friends/requests/${request.id}/accept`), 204)
    await ada.hub.event('FriendRequestAccepted')

    const opening = { type: 'Dm', memberIds: [bob.id] }
    const opened = await ada.rest.post('/api/conversations', opening)
    conversationId = opened.body.id
    await bob.hub.event('ConversationCreated', ({ id }) => id === conversationId)

    await bob.hub.invoke('Typing', conversationId, true)
    await ada.hub.event('Typing', ({ fromUserId }) => fromUserId === bob.id)
    const hello = await ada.hub.invoke('SendMessage', conversationId, 'hello Bob')
    kept = hello.id
    await bob.hub.event(
      'MessageReceived',
      ({ id, content }) => id === kept && content === 'hello Bob',
    )
    await bob.hub.invoke('MarkConversationRead', conversationId)
    await ada.hub.event('ConversationRead', ({ userId }) => userId === bob.id)

    await ada.hub.invoke('EditMessage', kept, 'hello, Bob!')
    await bob.hub.event('MessageEdited', ({ content }) => content === 'hello, Bob!')
    const slip = await bob.hub.invoke('SendMessage', conversationId, 'not meant for you')
    await ada.hub.event('MessageReceived', ({ id }) => id === slip.id)
    await bob.hub.invoke('DeleteMessage', slip.id)
    await ada.hub.event('MessageDeleted', (data) => JSON.stringify(data).includes(slip.id))

    await bob.hub.stop()
    const isGone = (data: { userId: string; online: boolean }) =>
      data.userId === bob.id && !data.online
    await ada.hub.event('PresenceChanged', isGone)
    await ada.hub.stop()
  })

  test('a restart keeps what they said', async () => {
    assert.equal(await stop(), 0)
    await serve()
    const bob = await signIn('bob')
    const history = assertDone(await bob.rest.get(`/api/messages/${conversationId}`))
    const text = JSON.stringify(history)
    assert.ok(text.includes(kept) && text.includes('hello, Bob!'))
    assert.ok(!text.includes('not meant for you'))
    const first = { clientMessageId: 'after-the-restart' }
    const sent = await bob.hub.invoke('SendMessage', conversationId, 'still here', first)
    assert.equal(sent.content, 'still here')
    await bob.hub.stop()
    assert.equal(await stop(), 0)
  })
})
