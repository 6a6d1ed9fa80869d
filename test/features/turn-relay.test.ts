import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askServer } from '../../src/outbound/turn-client.ts'
import { HOUR } from '../../src/platform/clock.ts'
import { boot } from '../harness/boot.ts'
import { Coturn } from '../harness/coturn.ts'
import { freePorts } from '../harness/ports.ts'
import { systemProgram } from '../harness/program.ts'
import { assertDone } from '../harness/rest.ts'

const { path: turnserver, skip } = systemProgram('turnserver')

/** An appliance and a coturn with exactly what `mimir turn config` prints. */
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

test('`turn test` tells which ways to the relay work', { skip }, async () => {
  await using scene = await bootWithRelay()
  const tests = await scene.mimir.command('turn.test')

  assert.deepEqual(
    tests.map(({ url, ok, failure }: Record<string, unknown>) => [url, ok, failure]),
    [
      [`stun:127.0.0.1:${scene.port}`, true, null],
      [`turn:127.0.0.1:${scene.port}?transport=udp`, true, null],
      [`turn:127.0.0.1:${scene.port}?transport=tcp`, true, null],
      [tests[3].url, false, 'unreachable'],
    ],
  )
  // It has no certificate: nothing listens for TLS.
  assert.match(tests[3].url, /^turns:127\.0\.0\.1:\d+\?transport=tcp$/)
  assert.match(tests[3].mend, /coturn/)
  assert.match(tests[1].relay, /^127\.0\.0\.1:\d+$/)
})
