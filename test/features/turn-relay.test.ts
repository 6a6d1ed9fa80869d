import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { askServer } from '../../src/outbound/turn-client.ts'
import { HOUR } from '../../src/platform/clock.ts'
import { boot } from '../harness/boot.ts'
import { makeCertificate } from '../harness/certificate.ts'
import { Coturn } from '../harness/coturn.ts'
import { freePorts } from '../harness/ports.ts'
import { systemProgram } from '../harness/program.ts'
import { assertDone } from '../harness/rest.ts'

const { path: turnserver, skip } = systemProgram('turnserver')

/** An appliance and a coturn with exactly the configuration that `mimir turn config` prints. */
async function bootWithRelay(env: Record<string, string> = {}) {
  const [port = 0, tlsPort = 0] = await freePorts(2)
  const mimir = await boot({
    env: {
      TURN_HOST: '127.0.0.1',
      TURN_PORT: `${port}`,
      TURN_TLS_PORT: `${tlsPort}`,
      TURN_ALLOWED_PEERS: '127.0.0.1',
      ...env,
    },
  })
  const relay = new Coturn(turnserver)
  const printed = async (): Promise<string> => (await mimir.command('turn.config')).config
  await relay.start(await printed())
  const allocate = (credentials: { username: string; credential: string }, transport = 'udp') =>
    askServer({ host: '127.0.0.1', port, transport: transport as 'udp' | 'tcp', credentials })
  return {
    mimir,
    relay,
    printed,
    allocate,
    port,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]()
      await mimir[Symbol.asyncDispose]()
    },
  }
}

const credentialsOf = async (mimir: Awaited<ReturnType<typeof boot>>, name: string) => {
  const person = await mimir.person(name)
  return assertDone(await person.rest.get('/api/call/turn-credentials'))
}

test('coturn gives an allocation for our credentials, over UDP and TCP', { skip }, async () => {
  await using scene = await bootWithRelay()
  const credentials = await credentialsOf(scene.mimir, 'ann')

  for (const transport of ['udp', 'tcp']) {
    const answer = await scene.allocate(credentials, transport)
    assert.ok(answer.ok, JSON.stringify(answer))
    assert.match(answer.relay ?? '', /^127\.0\.0\.1:\d+$/)
    assert.match(answer.seenAs, /^127\.0\.0\.1:\d+$/)
  }
  assert.doesNotMatch(scene.relay.log, /bad|unknown|unrecognized|invalid/i)
})

test('coturn refuses credentials that are expired, altered, or another’s', { skip }, async () => {
  await using scene = await bootWithRelay()
  const { mimir } = scene
  const good = await credentialsOf(mimir, 'ann')
  const { username, credential } = good
  mimir.clock.advance(-2 * HOUR)
  const expired = await mimir.command('turn.credentials', { user: 'ann' })
  assert.ok(expired.expiresAt < Date.now() / 1000)

  const [expiry, id] = username.split(':')
  const bad = {
    expired,
    'with a later end': { username: `${Number(expiry) + 1}:${id}`, credential },
    'of another person': { username: `${expiry}:${id}x`, credential },
    'with another password': { username, credential: Buffer.alloc(20).toString('base64') },
  }
  for (const [what, credentials] of Object.entries(bad)) {
    const answer = await scene.allocate(credentials)
    assert.equal(answer.ok ? 'allocated' : answer.failure, 'unauthorized', what)
  }
  assert.ok((await scene.allocate(good)).ok)
})

test('while the secret is rotated both the old and the new credentials work', {
  skip,
}, async () => {
  await using scene = await bootWithRelay({ TURN_SECRET: 'shared with coturn #1' })
  const { mimir, relay } = scene
  const old = await credentialsOf(mimir, 'ann')
  assert.ok((await scene.allocate(old)).ok)

  await mimir.command('turn.secret', { rotate: true })
  const renewed = await credentialsOf(mimir, 'bob')
  const early = await scene.allocate(renewed)
  assert.equal(early.ok ? 'allocated' : early.failure, 'unauthorized')
  await relay.start(await scene.printed())

  assert.ok((await scene.allocate(old)).ok)
  assert.ok((await scene.allocate(renewed)).ok)
})

const { path: client } = systemProgram('turnutils_uclient')

/** The output of coturn's own client with these credentials. */
async function runClient(
  { port }: { port: number },
  { username, credential }: { username: string; credential: string },
  ...args: string[]
): Promise<string> {
  const who = ['-p', `${port}`, '-u', username, '-w', credential]
  const child = spawn(client, [...who, ...args, '-n', '1', '-m', '1', '-l', '100', '127.0.0.1'])
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  await once(child, 'close')
  return said
}

test('the relay carries packets between two clients, and into no private network', {
  skip,
}, async () => {
  await using allowing = await bootWithRelay()
  await using denying = await bootWithRelay({ TURN_ALLOWED_PEERS: '' })
  const credentials = await credentialsOf(allowing.mimir, 'ann')
  await denying.mimir.person('ann')
  const refuse = async (peer: string, index: number) => {
    // Separate credentials for each, since the number of allocations per person is limited.
    const input = { user: 'ann', ttlSeconds: 600 + index }
    return runClient(denying, await denying.mimir.command('turn.credentials', input), '-e', peer)
  }
  const peers = ['127.0.0.1', '10.0.0.1', '172.31.0.1', '192.168.1.1', '169.254.169.254']

  const [carried, ...refused] = await Promise.all([
    // Clients that relay to each other through this server, like the two sides of a call.
    runClient(allowing, credentials, '-y'),
    ...peers.map(refuse),
  ])
  assert.match(carried, /tot_recv_msgs=[1-9]/)
  assert.match(carried, /Total lost packets 0 /)
  for (const said of refused) assert.match(said, /403 \(Forbidden IP\)/)
})

/** The results of `turn test` by kind of address. */
async function relayTest(mimir: Awaited<ReturnType<typeof boot>>) {
  const [stun, udp, tcp, tls] = await mimir.command('turn.test')
  return { stun, udp, tcp, tls }
}

test('`turn test` tells which ways to the relay work', { skip }, async () => {
  await using scene = await bootWithRelay()
  const { stun, udp, tcp, tls } = await relayTest(scene.mimir)

  assert.equal(stun.url, `stun:127.0.0.1:${scene.port}`)
  assert.match(stun.seenAs, /^127\.0\.0\.1:\d+$/)
  assert.equal(udp.url, `turn:127.0.0.1:${scene.port}?transport=udp`)
  assert.match(udp.relay, /^127\.0\.0\.1:\d+$/)
  assert.equal(tcp.url, `turn:127.0.0.1:${scene.port}?transport=tcp`)
  assert.match(tcp.relay, /^127\.0\.0\.1:\d+$/)
  // It has no certificate, so nothing listens for TLS.
  assert.match(tls.url, /^turns:127\.0\.0\.1:\d+\?transport=tcp$/)
  assert.deepEqual([tls.ok, tls.failure], [false, 'unreachable'])
  assert.match(tls.mend, /coturn/)
})

test('`turn test` says what a badly set up relay does', { skip }, async () => {
  await using scene = await bootWithRelay()
  const { mimir, relay } = scene
  const printed = await scene.printed()
  const outcome = async (config: string) => {
    await relay.start(config)
    const { stun, udp, tcp } = await relayTest(mimir)
    assert.equal(stun.ok, true)
    assert.equal(udp.failure, tcp.failure)
    return udp.failure
  }

  const foreign = printed.replace(/^static-auth-secret=.*$/m, 'static-auth-secret=another')
  assert.equal(await outcome(foreign), 'unauthorized')
  const open = printed.replace(/^(use|static)-auth-secret.*$/gm, '')
  assert.equal(await outcome(`${open}\nno-auth\n`), 'open_to_all')
  assert.equal(await outcome(`${printed}\nno-udp-relay\n`), 'refused')
  assert.equal(await outcome(printed), null)
  await relay.stop()
  assert.equal((await relayTest(mimir)).tcp.failure, 'unreachable')
})

const { path: openssl, skip: noOpenssl } = systemProgram('openssl')

test('`turn test` trusts no certificate that nobody vouches for', {
  skip: skip || noOpenssl,
}, async () => {
  await using scene = await bootWithRelay()
  const { cert, key } = makeCertificate(openssl, scene.mimir.dataDir)
  const printed = await scene.printed()
  // As the comment in the printed file tells the administrator to do.
  const config = printed
    .replace(/^#cert=.*$/m, `cert=${cert}`)
    .replace(/^#pkey=.*$/m, `pkey=${key}`)
  await scene.relay.start(config)

  const { tls, tcp } = await relayTest(scene.mimir)

  assert.equal(tcp.ok, true)
  assert.deepEqual([tls.ok, tls.failure], [false, 'tls_failed'])
  assert.match(tls.detail, /certificate/)
})

test('`turn test` against what is no relay, and no host', async () => {
  const web = createServer((_, response) => void response.end('hello')).listen(0, '127.0.0.1')
  await once(web, 'listening')
  const { port } = web.address() as AddressInfo
  const env = { TURN_SECRET: 'a secret', TURN_TLS_PORT: '0' }
  try {
    await using mimir = await boot({
      env: { ...env, TURN_HOST: '127.0.0.1', TURN_PORT: `${port}` },
    })
    const [, , tcp, ...more] = await mimir.command('turn.test')
    assert.equal(tcp.failure, 'not_turn')
    assert.deepEqual(more, [])
  } finally {
    web.close()
  }
  // DNS labels have at most 63 characters, so no server has to be asked.
  await using mimir = await boot({ env: { ...env, TURN_HOST: `${'x'.repeat(64)}.example` } })
  for (const { failure, address } of await mimir.command('turn.test')) {
    assert.deepEqual([failure, address], ['name_not_resolved', null])
  }
})

test('`turn test` needs a relay and its secret', async () => {
  await using bare = await boot()
  await assert.rejects(bare.command('turn.test'), { code: 'turn_not_configured' })
  await using secretless = await boot({ env: { TURN_HOST: '127.0.0.1' } })
  await assert.rejects(secretless.command('turn.test'), { code: 'turn_secret_missing' })
})
