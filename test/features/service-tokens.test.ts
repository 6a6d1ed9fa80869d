import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { loadConfig } from '../../src/config/load.ts'
import { DidNetwork, type Identity } from '../harness/atproto.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { auditOf } from '../harness/keys.ts'
import { MlsDevice } from '../harness/mls.ts'
import { deviceOf, didOf } from '../harness/mls-people.ts'
import { assertDone, Rest } from '../harness/rest.ts'
import { assertRefusal, Xrpc } from '../harness/xrpc.ts'

const METHOD = 'listDevices'
const SECRET = 'a secret of at least thirty-two letters'

function ask(mimir: Appliance, token: string, name = METHOD) {
  return new Xrpc(mimir.rest(token)).get(name)
}

async function admitted(mimir: Appliance, identity: Identity): Promise<void> {
  const { token: invitationToken } = await mimir.command('invite.create')
  const joined = assertDone(await identity.call(mimir, 'optIn', { invitationToken }))
  assert.equal(joined.status, 'pending')
  assertRefusal(await identity.call(mimir, METHOD), 403, 'AccountPending')
  const pending = await mimir.command('user.list', { status: 'PendingAdmin' })
  await mimir.command('user.approve', { user: pending[0].username })
}

test('a DID of another network is admitted by an invitation and is then an account like any other', async () => {
  await using network = await DidNetwork.start()
  await using mimir = await boot({ env: network.env })
  for (const identity of [
    await network.plc('K-256'),
    await network.plc('P-256'),
    await network.web('P-256'),
  ]) {
    assertRefusal(await identity.call(mimir, METHOD), 403, 'NotAdmitted')
    assertRefusal(await identity.call(mimir, 'optIn', {}), 403, 'NotAdmitted')
    const wrong = { invitationToken: 'wrong' }
    assertRefusal(await identity.call(mimir, 'optIn', wrong), 400, 'InvalidInvitation')
    await admitted(mimir, identity)
    assert.deepEqual(assertDone(await identity.call(mimir, METHOD)), { devices: [] })
    const { username } = (await mimir.command('user.list', { status: 'Active' })).at(-1)
    await mimir.command('user.suspend', { user: username })
    assertRefusal(await identity.call(mimir, METHOD), 401, 'AuthenticationRequired')
  }
})

test('somebody of another network and somebody of this one talk in one group', async () => {
  await using network = await DidNetwork.start()
  await using mimir = await boot({ env: network.env })
  const alice = await mimir.person('alice')
  const zoe = await network.plc()
  await admitted(mimir, zoe)
  const friendKey = await alice.friendKey()
  assertDone(await zoe.call(mimir, 'optIn', { friendKey }))
  const [request] = assertDone(await alice.rest.get('/api/friends/requests/pending'))
  assertDone(await alice.rest.post(`/api/friends/requests/${request.id}/accept`), 204)

  const a = await deviceOf(mimir, alice)
  const z = await MlsDevice.create(signing(mimir, zoe), zoe.did, () => mimir.clock.now() / 1000)
  const convoId = await a.createConvo(zoe.did)
  await z.join(convoId)
  await z.send(convoId, 'from afar')
  assert.deepEqual(await a.catchUp(convoId), ['from afar'])
  await z.add(convoId)
  const [view] = assertDone(await a.xrpc.get('getConvos')).conversations
  assert.deepEqual(
    view.members.map((one: { did: string }) => one.did).sort(),
    [zoe.did, didOf(mimir, { name: 'alice' })].sort(),
  )
  // The log tells her calls from those of somebody signed in here.
  const sent = await auditOf(mimir, 'friend.requested')
  assert.deepEqual(
    sent.map(({ details }) => details.credential),
    ['atproto'],
  )
})

/** A REST client that signs a new token for every call, as a server of the other network does. */
function signing(mimir: Appliance, identity: Identity): Rest {
  return new (class extends Rest {
    override async send(...args: Parameters<Rest['send']>) {
      const [, name = ''] = /blue\.catbird\.mls\.(\w+)/.exec(args[1]) ?? []
      return mimir.rest(await identity.token(mimir, name)).send(...args)
    }
  })(mimir.url)
}

test('a token for another service, method, person or time, or used before, opens nothing', async () => {
  await using network = await DidNetwork.start()
  await using mimir = await boot({ env: network.env })
  const identity = await network.plc()
  await admitted(mimir, identity)
  const now = Math.floor(mimir.clock.now() / 1000)
  const other = await network.plc()
  const bad: Record<string, unknown>[] = [
    { aud: 'did:web:elsewhere.example.org' },
    { aud: `${mimir.app.ctx.config.atproto.serviceDid}#other` },
    { aud: undefined },
    { lxm: 'blue.catbird.mls.getConvos' },
    { lxm: undefined },
    { jti: undefined },
    { jti: '' },
    { sub: other.did },
    { iss: other.did },
    { iss: `${identity.did}#atproto` },
    { iss: didOf(mimir, { name: 'alice' }) },
    { iss: 'did:web:localhost%3A1:path' },
    { iss: 'did:web:127.0.0.1' },
    { exp: now - 1 },
    { exp: undefined },
    { iat: now - 600, exp: now + 60 },
    { exp: now + 400 },
    { iat: undefined, exp: now + 3600 },
    { iat: now + 120 },
    { nbf: now + 120 },
  ]
  for (const claims of bad) {
    const reply = await ask(mimir, await identity.token(mimir, METHOD, claims))
    assert.equal(reply.status, 401, JSON.stringify(claims))
    assertRefusal(reply, 401, 'AuthenticationRequired')
  }
  const good = await identity.token(mimir, METHOD, { sub: identity.did })
  const headers = [{ alg: 'none' }, { alg: 'HS256' }, { alg: 'ES256' }, { typ: 'at+jwt' }]
  for (const header of headers) {
    const token = await identity.token(mimir, METHOD, {}, { header })
    assertRefusal(await ask(mimir, token), 401, 'AuthenticationRequired')
  }
  const [head, claims, signature = ''] = good.split('.')
  for (const token of [
    `${head}.${claims}.`,
    `${head}.${claims}`,
    `${head}.${claims}.${signature.slice(0, -2)}`,
    `${head}.${claims}.${highS(signature)}`,
    await identity.token(mimir, METHOD, {}, { key: other.key }),
  ]) {
    assertRefusal(await ask(mimir, token), 401, 'AuthenticationRequired')
  }
  assertDone(await ask(mimir, good))
  assertRefusal(await ask(mimir, good), 401, 'AuthenticationRequired')
  await mimir.app.jobs.runNow('forget-service-tokens')
  assertRefusal(await ask(mimir, good), 401, 'AuthenticationRequired')
  mimir.clock.advance(10 * 60_000)
  await mimir.app.jobs.runNow('forget-service-tokens')
  const { read } = mimir.app.ctx.db
  assert.deepEqual(await read.selectFrom('atproto_nonces').selectAll().execute(), [])
})

/** The signature's other form with the same key and text, which ATProto rejects (it requires low S). */
function highS(signature: string): string {
  const order = BigInt('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
  const bytes = Buffer.from(signature, 'base64url')
  const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const other = Buffer.from(s.toString(16).padStart(64, '0'), 'hex')
  return Buffer.concat([bytes.subarray(0, 32), other]).toString('base64url')
}

test('after a rotation the new key counts at once and the old one no more', async () => {
  await using network = await DidNetwork.start()
  await using mimir = await boot({ env: network.env })
  const identity = await network.plc()
  await admitted(mimir, identity)
  const before = network.asked.length
  for (let i = 0; i < 5; i++) assertDone(await identity.call(mimir, METHOD))
  assert.equal(network.asked.length, before, 'a known key is not looked up again')
  const old = await identity.rotate()
  assertDone(await identity.call(mimir, METHOD))
  assert.equal(network.asked.length, before + 1)
  for (let i = 0; i < 5; i++) {
    const token = await identity.token(mimir, METHOD, {}, { key: old })
    assertRefusal(await ask(mimir, token), 401, 'AuthenticationRequired')
  }
  // Forged tokens do not cause repeated look-ups.
  assert.equal(network.asked.length, before + 1)
})

test('a forged token does not shut out its victim while the DID cannot be resolved', async () => {
  await using network = await DidNetwork.start()
  await using mimir = await boot({ env: network.env })
  const identity = await network.plc()
  await admitted(mimir, identity)
  mimir.clock.advance(60_000)
  network.isDown = true
  const { key } = await network.plc()
  const forged = await identity.token(mimir, METHOD, {}, { key })
  const asked = network.asked.length
  assertRefusal(await ask(mimir, forged), 401, 'AuthenticationRequired')
  assert.equal(network.asked.length, asked + 1)
  assertDone(await identity.call(mimir, METHOD))
})

test('a DID that nobody knows is asked for once in a while, and not by many at once', async () => {
  await using network = await DidNetwork.start()
  await using mimir = await boot({ env: network.env })
  const identity = await network.plc()
  const nobody = { iss: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' }
  const attempts = [1, 2, 3, 4, 5].map(async () =>
    ask(mimir, await identity.token(mimir, METHOD, nobody)),
  )
  for (const reply of await Promise.all(attempts)) assert.equal(reply.status, 401)
  assert.ok(network.asked.length <= 2, String(network.asked))
  const asked = network.asked.length
  assert.equal((await ask(mimir, await identity.token(mimir, METHOD, nobody))).status, 401)
  assert.equal(network.asked.length, asked)
})

test('without the allowance no DID leads into a private network', async () => {
  await using network = await DidNetwork.start()
  await using mimir = await boot({ env: { MIMIR_PLC_URL: network.env.MIMIR_PLC_URL as string } })
  const identity = await network.web()
  assert.equal((await ask(mimir, await identity.token(mimir, METHOD))).status, 401)
  assert.deepEqual(network.asked, [])
})

test('admission by a list, and to everybody', async () => {
  await using network = await DidNetwork.start()
  const [listed, other] = [await network.plc(), await network.plc()]
  const env = { MIMIR_ATPROTO_ADMISSION: 'allowlist', MIMIR_ATPROTO_ALLOWLIST: `${listed.did}, x` }
  {
    await using mimir = await boot({ env: { ...network.env, ...env } })
    const first = await Promise.all([1, 2, 3].map(() => listed.call(mimir, METHOD)))
    for (const reply of first) assertDone(reply)
    assertRefusal(await other.call(mimir, METHOD), 403, 'NotAdmitted')
  }
  await using mimir = await boot({ env: { ...network.env, MIMIR_ATPROTO_ADMISSION: 'open' } })
  assertDone(await other.call(mimir, METHOD))
})

test('in a lockdown nobody gets an account, whoever else is admitted', async () => {
  await using network = await DidNetwork.start()
  const identity = await network.plc()
  await using mimir = await boot({ env: { ...network.env, MIMIR_ATPROTO_ADMISSION: 'open' } })
  for (const mode of ['read-only', 'closed']) {
    await mimir.command('lockdown.start', { mode })
    assert.equal((await identity.call(mimir, METHOD)).status, 503)
    assert.deepEqual(await mimir.command('user.list'), [])
  }
  await mimir.command('lockdown.lift')
  assertDone(await identity.call(mimir, METHOD))
})

test('tokens of development are taken only where the switch says so', async () => {
  await using network = await DidNetwork.start()
  const identity = await network.plc()
  const devToken = (mimir: Appliance) => {
    const now = Math.floor(mimir.clock.now() / 1000)
    const aud = mimir.app.ctx.config.atproto.serviceDid
    const claims = { iss: identity.did, aud, exp: now + 60, lxm: `blue.catbird.mls.${METHOD}` }
    const signed = [
      { alg: 'HS256', typ: 'JWT' },
      { ...claims, jti: String(Math.random()) },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`
  }
  const open = { MIMIR_ATPROTO_ADMISSION: 'open', JWT_SECRET: SECRET }
  {
    await using mimir = await boot({ env: { ...network.env, ...open } })
    assert.equal((await ask(mimir, devToken(mimir))).status, 401)
  }
  const env = { ...network.env, ...open, MIMIR_ATPROTO_DEV_TOKENS: 'true' }
  await using mimir = await boot({ env })
  assertDone(await ask(mimir, devToken(mimir)))
  const wide = { ...open, MIMIR_ATPROTO_DEV_TOKENS: 'true', MIMIR_LISTEN: '0.0.0.0:8080' }
  for (const bad of [wide, { MIMIR_ATPROTO_DEV_TOKENS: 'true' }]) {
    assert.throws(
      () => loadConfig({ dataDir: mimir.dataDir, env: bad }),
      /MIMIR_ATPROTO_DEV_TOKENS/,
    )
  }
})

test('the server and its accounts have DID documents, at the host’s root', async () => {
  await using mimir = await boot({
    env: { MIMIR_PUBLIC_URL: 'http://chat.example.org:8443/mimir' },
  })
  await mimir.person('alice')
  const rest = mimir.rest()
  const server = assertDone(await rest.get('/.well-known/did.json'))
  assert.equal(server.id, 'did:web:chat.example.org%3A8443')
  assert.equal(server.service[0].id, '#atproto_mls')
  assert.equal(server.service[0].serviceEndpoint, 'http://chat.example.org:8443')
  const account = assertDone(await rest.get('/u/Alice/did.json'))
  assert.equal(account.id, 'did:web:chat.example.org%3A8443:u:alice')
  assert.equal((await rest.get('/u/nobody/did.json')).status, 404)
  await mimir.command('user.suspend', { user: 'alice' })
  assert.equal((await rest.get('/u/alice/did.json')).status, 404)

  const { lexicons } = assertDone(await rest.get('/lexicons'))
  assert.equal(lexicons.length, 38)
  for (const id of lexicons) assert.equal(assertDone(await rest.get(`/lexicons/${id}`)).id, id)
  assert.equal((await rest.get('/lexicons/nothing')).status, 404)
})

test('methods that are not ours are handed on only where development asks for it, and not in a circle', async () => {
  const asked: string[] = []
  const thing = { from: 'upstream', long: 'x'.repeat(1000) }
  const upstream = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    // Compressed, as most servers answer: the length that it names is not that of the text.
    const body = gzipSync(JSON.stringify(thing))
    response.writeHead(200, {
      ...{ 'content-type': 'application/json', 'content-encoding': 'gzip' },
      'content-length': body.length,
    })
    response.end(body)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
  const env = { ENABLE_DIRECT_XRPC_PROXY: 'true', UPSTREAM_XRPC_BASE: base }
  {
    await using mimir = await boot({ env })
    const rest = mimir.rest('a-token')
    const reply = assertDone(await rest.get('/xrpc/app.example.getThing?a=1'))
    assert.deepEqual(reply, thing)
    assert.deepEqual(asked, ['GET /xrpc/app.example.getThing?a=1 Bearer a-token'])
    assertRefusal(
      await rest.get('/xrpc/blue.catbird.mls.listDevices'),
      401,
      'AuthenticationRequired',
    )
    const circle = rest.with({ 'x-mimir-forwarded': '1' })
    assertRefusal(await circle.get('/xrpc/app.example.getThing'), 502, 'ProxyError')
    upstream.closeAllConnections()
    await new Promise((resolve) => upstream.close(resolve))
    assertRefusal(await rest.get('/xrpc/app.example.getThing'), 502, 'ProxyError')
    const dataDir = mimir.dataDir
    const itself = {
      ...env,
      MIMIR_LISTEN: '127.0.0.1:3000',
      UPSTREAM_XRPC_BASE: 'http://localhost:3000',
    }
    assert.throws(() => loadConfig({ dataDir, env: itself }), /UPSTREAM_XRPC_BASE: is this server/)
    const wide = { ...env, MIMIR_LISTEN: '0.0.0.0:8080' }
    assert.throws(() => loadConfig({ dataDir, env: wide }), /loopback/)
  }
  await using mimir = await boot()
  assertRefusal(await mimir.rest().get('/xrpc/app.example.getThing'), 501, 'MethodNotImplemented')
})
