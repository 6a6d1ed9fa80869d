import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type HubConnectionBuilder, HubConnectionState } from '@microsoft/signalr'
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { HubClient } from '../harness/hub.ts'
import { assertDone } from '../harness/rest.ts'
import { TcpProxy } from '../harness/tcp-proxy.ts'

type Configure = (builder: HubConnectionBuilder) => HubConnectionBuilder

const json: Configure = (builder) => builder
const messagePack: Configure = (builder) => builder.withHubProtocol(new MessagePackHubProtocol())
const PROTOCOLS = [
  ['JSON', json],
  ['MessagePack', messagePack],
] as const

const CUTS = 8
const BETWEEN_CUTS = 12

/** A device connected through the proxy, stopped at the end of the test. */
async function connect(base: string, token: string, configure: Configure) {
  const hub = await new HubClient(base.replace(/\/$/, ''), token, configure).start()
  return Object.assign(hub, { [Symbol.asyncDispose]: () => hub.stop() })
}

for (const [name, speaks] of PROTOCOLS) {
  describe(`the official client over ${name}`, () => {
    test('invokes, hears and is refused in the same words as ever', async () => {
      await using mimir = await boot()
      const [ann, bob] = await mimir.friends('ann', 'bob')
      const conversationId = await ann.dm(bob)
      await using hers = await connect(mimir.url, ann.accessToken, speaks)
      await using his = await connect(mimir.url, bob.accessToken, speaks)
      const plain = await bob.connect()

      const stored = await hers.invoke('SendMessage', conversationId, 'grüß dich \u{1f44b}')
      assert.equal(typeof stored.createdAt, 'string')
      const heard = await his.event('MessageReceived')
      assert.deepEqual(heard, await plain.event('MessageReceived'))
      assert.equal(heard.content, 'grüß dich \u{1f44b}')
      assert.equal(typeof heard.createdAt, 'string')
      await his.invoke('MarkConversationRead', conversationId)
      await hers.event('ConversationRead')
      await hers.assertRefused('empty_content', 'SendMessage', conversationId, '')
      await hers.assertRefused('invalid_conversation_id', 'SendMessage', 7, 'hi')
    })

    test('with stateful reconnect, cut again and again, misses nothing and does nothing twice', async () => {
      await using mimir = await boot()
      const [ann, bob] = await mimir.friends('ann', 'bob')
      const conversationId = await ann.dm(bob)
      const hers = await ann.connect()
      await using proxy = await new TcpProxy(mimir.url).start()
      const stateful: Configure = (builder) => speaks(builder).withStatefulReconnect()
      await using his = await connect(proxy.url, bob.accessToken, stateful)

      const told: string[] = []
      const answered: Promise<unknown>[] = []
      for (let cut = 0; cut < CUTS; cut += 1) {
        for (let n = 0; n < BETWEEN_CUTS; n += 1) {
          told.push(`ann ${cut} ${n}`)
          answered.push(hers.invoke('SendMessage', conversationId, `ann ${cut} ${n}`))
          answered.push(his.invoke('SendMessage', conversationId, `bob ${cut} ${n}`))
          // Cuts in the middle of the traffic, at a different place every time.
          if (n === cut) proxy.drop()
        }
        // The client reconnects once: the next cut has to wait for it.
        await eventually(() => his.all('MessageReceived').length >= answered.length, 'the events')
        await Promise.all(answered)
      }

      const contents = his.all('MessageReceived').map((message) => message.content as string)
      assert.equal(contents.length, 2 * CUTS * BETWEEN_CUTS)
      assert.equal(new Set(contents).size, contents.length)
      assert.deepEqual(
        contents.filter((content) => content.startsWith('ann')),
        told,
      )
      const history = await bob.rest.get(`/api/messages/${conversationId}?limit=200`)
      const stored = assertDone(history).map((message: { content: string }) => message.content)
      assert.deepEqual([...stored].sort(), [...contents].sort())
      assert.equal(his.closed, false)
      assert.deepEqual(hers.all('PresenceChanged').filter(isAbout(bob.id)).length, 1)
    })

    test('without it, starts anew after a cut and hears what comes from then', async () => {
      await using mimir = await boot()
      const [ann, bob] = await mimir.friends('ann', 'bob')
      const conversationId = await ann.dm(bob)
      await using proxy = await new TcpProxy(mimir.url).start()
      const anew: Configure = (builder) => speaks(builder).withAutomaticReconnect([0, 10, 50, 200])
      await using his = await connect(proxy.url, bob.accessToken, anew)
      let reconnected = 0
      his.connection.onreconnected(() => {
        reconnected += 1
      })
      for (let cut = 1; cut <= 3; cut += 1) {
        proxy.drop()
        await eventually(() => reconnected === cut, 'the client did not come back')
        await ann.say(conversationId, `after ${cut}`)
        await his.event('MessageReceived', (message) => message.content === `after ${cut}`)
      }
      assert.equal(his.all('MessageReceived').length, 3)
    })

    test('with stateful reconnect, a revoked session does not come back', async () => {
      await using mimir = await boot()
      const bob = await mimir.person('bob')
      const other = await bob.signIn()
      await using proxy = await new TcpProxy(mimir.url).start()
      const stateful: Configure = (builder) => speaks(builder).withStatefulReconnect()
      await using his = await connect(proxy.url, bob.accessToken, stateful)
      // Frozen, it does not hear that it is signed out, only that its connection is lost.
      proxy.freeze()
      assertDone(await mimir.rest(other.accessToken).delete('/api/me/sessions'), 204)
      assert.equal(his.closed, false)
      proxy.drop()
      await eventually(() => his.closed, 'the client was let in')
      assert.equal(his.connection.state, HubConnectionState.Disconnected)
    })
  })
}

function isAbout(userId: string) {
  return (change: { userId: string }) => change.userId === userId
}
