import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, BlockList } from 'node:net'
import { test } from 'node:test'
import { mayReach } from '../../src/outbound/address-rules.ts'
import { createGuardedFetch, OutboundError } from '../../src/outbound/guarded-fetch.ts'
import { CERTIFICATE, KEY } from '../harness/certificate.ts'

const NOBODY = { hosts: [], networks: new BlockList() }
const LOCALHOST = { hosts: ['localhost'], networks: new BlockList() }

async function listen(handle: RequestListener, secure = false) {
  const server = secure
    ? createSecureServer({ key: KEY, cert: CERTIFICATE }, handle)
    : createServer(handle)
  // Listens on IPv4 and IPv6, since the name resolves to both on some machines.
  await new Promise<void>((resolve) => {
    server.listen(0, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const because = (reason: string) => (error: unknown) => {
  assert.ok(error instanceof OutboundError, String(error))
  assert.equal(error.reason, reason)
  return true
}

test('an answer comes back whole, and the request arrives as it was made', async () => {
  let seen = ''
  await using server = await listen(async (request, response) => {
    for await (const part of request) seen += part
    seen += ` ${request.headers.host} ${request.headers['x-one']}`
    response.writeHead(201, { 'retry-after': '7' }).end('well')
  })
  const fetch = createGuardedFetch(LOCALHOST)
  const url = `http://localhost:${server.port}/a?b=c`
  const answer = await fetch({ url, method: 'POST', headers: { 'x-one': '1' }, body: 'äö' })
  assert.equal(answer.status, 201)
  assert.equal(answer.body.toString(), 'well')
  assert.equal(answer.headers.get('retry-after'), '7')
  assert.equal(seen, `äö localhost:${server.port} 1`)
})

test('redirects, too much and too slow an answer are refused', async () => {
  let asked = 0
  await using server = await listen((request, response) => {
    asked += 1
    if (request.url === '/moved') response.writeHead(302, { location: '/' }).end()
    else if (request.url === '/large') response.end('x'.repeat(100_000))
    else if (request.url === '/drip') {
      response.writeHead(200)
      response.write('x')
    }
  })
  const fetch = createGuardedFetch(LOCALHOST)
  const get = (path: string, options = {}) =>
    fetch({ url: `http://localhost:${server.port}${path}`, method: 'GET', ...options })
  await assert.rejects(get('/moved'), because('redirect'))
  await assert.rejects(get('/large'), because('too_large'))
  await assert.rejects(get('/drip', { timeoutMs: 300 }), because('timeout'))
  await assert.rejects(get('/never', { timeoutMs: 300 }), because('timeout'))
  assert.equal(asked, 4, 'a redirect was followed')
})

test('nothing is asked behind a name or a number of a private network', async () => {
  let asked = 0
  await using server = await listen((_, response) => {
    asked += 1
    response.end()
  }, true)
  const fetch = createGuardedFetch(NOBODY)
  for (const host of ['localhost', '127.0.0.1', '[::1]', '127.1', '0', '[::ffff:7f00:1]']) {
    const url = `https://${host}:${server.port}/`
    await assert.rejects(fetch({ url, method: 'GET' }), because('blocked'))
  }
  assert.equal(asked, 0)
})

test('a certificate that nobody signed is refused, for a listed host too', async () => {
  let asked = 0
  await using server = await listen((_, response) => {
    asked += 1
    response.end()
  }, true)
  const url = `https://localhost:${server.port}/`
  const answer = createGuardedFetch(LOCALHOST)({ url, method: 'GET' })
  await assert.rejects(answer, (error: OutboundError) => {
    because('unreachable')(error)
    assert.match(String((error.cause as NodeJS.ErrnoException).code), /SELF_SIGNED/)
    return true
  })
  assert.equal(asked, 0)
})

test('special-purpose addresses are out of reach unless they are listed', () => {
  const inside = ['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.9.9.9', '169.254.169.254', '172.31.0.1']
  const further = ['192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '::', '::1']
  const sixth = ['::ffff:10.0.0.1', '::ffff:8.8.8.8', 'fe80::1', 'fe80::1%lo', 'fd12::1', 'ff02::1']
  const translated = ['64:ff9b::7f00:1', '2002:7f00:1::', '2001::1', '2001:db8::1']
  for (const address of [...inside, ...further, ...sixth, ...translated, 'no address']) {
    assert.equal(mayReach(NOBODY, 'name', address), false, address)
  }
  for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2a00:1450:4001::1', '2606::1']) {
    assert.equal(mayReach(NOBODY, 'name', address), true, address)
  }
  const networks = new BlockList()
  networks.addSubnet('10.0.0.0', 8, 'ipv4')
  const allow = { hosts: ['distributor.lan'], networks }
  assert.equal(mayReach(allow, 'name', '10.1.2.3'), true)
  assert.equal(mayReach(allow, 'name', '192.168.1.1'), false)
  assert.equal(mayReach(allow, 'Distributor.lan', '192.168.1.1'), true)
})
