import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request } from 'node:https'
import { after, before, describe, test } from 'node:test'
import { download, rowsOf, upload } from '../harness/attachments.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { Caddy } from '../harness/caddy.ts'
import { eventually } from '../harness/eventually.ts'
import { Nginx } from '../harness/nginx.ts'
import { freePorts } from '../harness/ports.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const MIB = 1024 * 1024
const PROXIES = { nginx: Nginx, caddy: Caddy }

/** An appliance that all requests of the test reach through a proxy, by its public URL. */
async function bootBehind(
  name: keyof typeof PROXIES,
  prefix: string,
  env: Record<string, string> = {},
) {
  const proxy = await new PROXIES[name]().reserve()
  const [port] = await freePorts(1)
  const publicUrl = `https://127.0.0.1:${proxy.port}${prefix}`
  const mimir = await boot({
    env: {
      MIMIR_LISTEN: `127.0.0.1:${port}`,
      MIMIR_PUBLIC_URL: publicUrl,
      MIMIR_TRUSTED_PROXIES: '127.0.0.1,::1',
      ...env,
    },
  })
  await proxy.start(mimir)
  mimir.url = publicUrl
  return {
    mimir,
    proxy,
    publicUrl,
    async [Symbol.asyncDispose]() {
      await mimir[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

/** Signs in with a wrong password from an address of this machine; returns the status. */
function signInFrom(localAddress: string, { url }: Appliance, forwardedFor?: string) {
  return new Promise<number>((resolve, reject) => {
    const { port, pathname } = new URL(`${url}/api/auth/login`)
    const asked = request({
      host: '127.0.0.1',
      port,
      path: pathname,
      method: 'POST',
      localAddress,
      rejectUnauthorized: false,
      headers: {
        'content-type': 'application/json',
        ...(forwardedFor ? { 'x-forwarded-for': forwardedFor } : {}),
      },
    })
    asked.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on('error', reject)
    asked.end(JSON.stringify({ usernameOrEmail: 'nobody', password: 'of no account' }))
  })
}

/** The tests' certificates are self-signed. */
function trustAnybody(): void {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
}

function trustNobodyUnknown(): void {
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
}

const cases = (['nginx', 'caddy'] as const).flatMap((name) =>
  ['', '/mimir'].map((prefix) => ({ name, prefix, where: prefix || 'a whole host' })),
)
for (const { name, prefix, where } of cases) {
  describe(`behind ${name} for ${where}`, { skip: PROXIES[name].skip }, () => {
    before(trustAnybody)
    after(trustNobodyUnknown)

    test('pages, links and plain http lead to the public address', async () => {
      await using scene = await bootBehind(name, prefix)
      const { mimir, publicUrl, proxy } = scene
      const { url } = await mimir.command('invite.create')
      assert.ok(url.startsWith(`${publicUrl}/join/`))
      assert.match(await (await fetch(url)).text(), /<form/)
      // The form goes to the page's own address, as a browser sends it.
      const form = { username: 'dora', email: 'dora@example.org', password: 'a long password' }
      const joined = await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
      assert.equal(joined.status, 200)
      assert.ok((await joined.text()).includes(`<code>${publicUrl}</code>`))

      const bare = await fetch(publicUrl)
      assert.equal(bare.status, 200)
      assert.match(await bare.text(), /private messaging server/)
      const document = assertDone(await mimir.rest().get('/api/openapi.json'))
      assert.deepEqual(document.servers, [{ url: publicUrl }])
      const { origin } = new URL(publicUrl)
      const metadata = `${origin}/.well-known/oauth-authorization-server${prefix}`
      assert.equal((await (await fetch(metadata)).json()).issuer, publicUrl)
      // A browser's WebSocket carries its token in the URL.
      await fetch(`${publicUrl}/hubs/dm?access_token=the-token-of-somebody`)
      const logged = proxy.logged()
      assert.doesNotMatch(logged, /the-token-of-somebody|\/join\//)
      if (prefix === '') return
      const outside = await fetch(`https://127.0.0.1:${proxy.port}/health/live`)
      assert.notEqual(await outside.text(), 'OK', 'what is not under the path is not Mimir’s')
    })

    test('the hub stays connected, and events come in order', async () => {
      await using scene = await bootBehind(name, prefix)
      const [alice, bob] = await scene.mimir.friends('alice', 'bob')
      const [sender, receiver] = [await alice.connect(), await bob.connect()]
      const dm = await alice.dm(bob)
      const texts = Array.from({ length: 300 }, (_, index) => `message ${index}`)
      await Promise.all(texts.map((text) => sender.invoke('SendMessage', dm, text)))
      await receiver.event('MessageReceived', ({ content }) => content === texts.at(-1))
      const received = receiver.all('MessageReceived').map(({ content }) => content)
      assert.deepEqual(received, texts)

      await bob.rest.post(`/api/conversations/${dm}/read`)
      await sender.event('ConversationRead')
      assert.equal(receiver.closed, false)
    })

    test('attachments are streamed both ways, in whole and in part', async () => {
      await using scene = await bootBehind(name, prefix)
      const { mimir } = scene
      const alice = await mimir.person('alice')
      const bytes = randomBytes(9 * MIB)
      const { id } = assertDone(await upload(mimir, alice, bytes), 201)
      const whole = await download(mimir, alice, id)
      assert.ok(whole.bytes.equals(bytes))
      assert.equal(whole.headers.get('x-content-type-options'), 'nosniff')
      const part = await download(mimir, alice, id, { range: `bytes=${7 * MIB}-${7 * MIB + 9}` })
      assert.equal(part.status, 206)
      assert.ok(part.bytes.equals(bytes.subarray(7 * MIB, 7 * MIB + 10)))
      assert.equal(
        part.headers.get('content-range'),
        `bytes ${7 * MIB}-${7 * MIB + 9}/${bytes.length}`,
      )
      const last = await download(mimir, alice, id, { range: 'bytes=-1' })
      assert.ok(last.bytes.equals(bytes.subarray(-1)))

      // The server gets the first pieces before the last one is sent: no proxy buffers the upload.
      const before = (await rowsOf(mimir)).chunks.length
      const arrived = async () => (await rowsOf(mimir)).chunks.length > before + 4
      let sent = 0
      const body = new ReadableStream({
        async pull(controller) {
          sent += 1
          controller.enqueue(bytes.subarray((sent - 1) * MIB, sent * MIB))
          if (sent < 8) return
          await eventually(arrived, 'nothing arrived before the end')
          controller.close()
        },
      })
      const headers = { authorization: `Bearer ${alice.accessToken}` }
      const init = { method: 'POST', headers, body, duplex: 'half' }
      const streamed = await fetch(`${mimir.url}/api/attachments`, init as RequestInit)
      assert.equal(streamed.status, 201)
      assert.equal(((await streamed.json()) as { size: number }).size, 8 * MIB)
    })

    test('limits count each client by its own address, whatever it claims', async () => {
      await using scene = await bootBehind(name, prefix, { MIMIR_RATE_LIMITS: 'auth-login=2/1h' })
      const { mimir } = scene
      const from = (address: string, claimed?: string) => signInFrom(address, mimir, claimed)
      assert.deepEqual([await from('127.0.0.2'), await from('127.0.0.2')], [401, 401])
      assert.equal(await from('127.0.0.2'), 429)
      // A different claimed address for every request, even a trusted one, does not help.
      for (const claimed of ['203.0.113.7', '127.0.0.1', '203.0.113.8, 127.0.0.1', 'nonsense']) {
        assert.equal(await from('127.0.0.2', claimed), 429, claimed)
      }
      assert.equal(await from('127.0.0.3', '127.0.0.2'), 401)
      assert.deepEqual([await from('127.0.0.3'), await from('127.0.0.3')], [401, 429])
    })

    test('old apps are told to update', async () => {
      await using scene = await bootBehind(name, prefix, { MIN_APP_VERSION_ANDROID: '2.0' })
      const alice = await scene.mimir.person('alice')
      assertRefused(await alice.rest.get('/api/me'), 426, 'app_version_too_old')
      const app = alice.rest.with({ 'x-app-version': '2.1', 'x-app-platform': 'android' })
      assert.equal(assertDone(await app.get('/api/me')).id, alice.id)
      const hub = await alice.connect()
      assert.equal(hub.closed, false)
    })
  })
}

describe('nginx with the site file', { skip: Nginx.skip }, () => {
  before(trustAnybody)
  after(trustNobodyUnknown)

  test('sends people from http to https, and logs what is not Mimir’s', async () => {
    await using scene = await bootBehind('nginx', '/mimir')
    const { proxy } = scene
    const plain = `http://127.0.0.1:${proxy.plainPort}/mimir/join/x`
    const redirected = await fetch(plain, { redirect: 'manual' })
    assert.equal(redirected.status, 308)
    assert.equal(redirected.headers.get('location'), 'https://127.0.0.1/mimir/join/x')
    const outside = await fetch(`https://127.0.0.1:${proxy.port}/elsewhere`)
    assert.equal(outside.status, 404)
    await eventually(() => proxy.logged().includes('/elsewhere'), 'nothing is logged')
    assert.doesNotMatch(proxy.logged(), /join/)
  })
})
