import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { routes } from '../../src/app/features.ts'
import { isReading, operationOf } from '../../src/http/define-route.ts'
import { HOUR, MINUTE } from '../../src/platform/clock.ts'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { codeOf, setUpTotp, tryPassword } from '../harness/factors.ts'
import { byKey, makeKey } from '../harness/keys.ts'
import { callTool } from '../harness/mcp.ts'
import { bootWithAddress, browserOf } from '../harness/oauth.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { startSso } from '../harness/sso.ts'
import { WebBrowser } from '../harness/web-browser.ts'
import { byRest, Visit } from '../refusals/transports.ts'

test('a closed server ends everything, answers health alone, also after a restart, until it is lifted', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const hubs = [await alice.connect(), await bob.connect()]
  const { sessionsEnded } = await mimir.command('lockdown.start')
  assert.ok(sessionsEnded >= 2)
  for (const hub of hubs) await eventually(() => hub.closed, 'a connection stayed')
  const login = { usernameOrEmail: 'alice', password: alice.password }
  const check = async () => {
    assertRefused(await mimir.rest().post('/api/auth/login', login), 503, 'locked_down')
    const refresh = { refreshToken: alice.refreshToken }
    assertRefused(await mimir.rest().post('/api/auth/refresh', refresh), 503, 'locked_down')
    assertRefused(await alice.rest.get('/api/me'), 401, 'unauthorized')
    assertDone(await mimir.rest().get('/health'))
  }
  await check()
  await mimir.app.jobs.runNow('follow-lockdown')
  await check()
  await mimir.restart()
  await check()
  assert.ok((await mimir.command('user.list')).length >= 2, 'the operator still works')

  await mimir.command('lockdown.lift')
  await assert.rejects(mimir.command('lockdown.lift'), /not locked down/)
  assert.equal((await alice.rest.get('/api/me')).status, 401, 'old sessions stay ended')
  assertDone(await mimir.rest((await alice.signIn()).accessToken).get('/api/me'))
  const { read } = mimir.app.ctx.db
  const events = await read
    .selectFrom('audit_events')
    .select('type')
    .where('type', 'like', 'lockdown.%')
    .orderBy('id')
    .execute()
  assert.deepEqual(
    events.map(({ type }) => type),
    ['lockdown.started', 'lockdown.lifted'],
  )
})

test('a lockdown that begins while the stored ones are being read is not undone by that', async () => {
  await using mimir = await boot()
  const { admission } = mimir.app.ctx
  const reading = mimir.app.jobs.runNow('follow-lockdown')
  admission.close('closed')
  await reading
  assert.deepEqual(admission.closures(), ['closed'])
})

test('a read-only server lets people sign in and read, and change nothing', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  await alice.say(dm, 'before')
  await mimir.command('lockdown.start', { mode: 'read-only' })
  const { accessToken } = await alice.signIn()
  const rest = mimir.rest(accessToken)
  const history = assertDone(await rest.get(`/api/messages/${dm}`))
  assert.equal(history[0].content, 'before')
  const say = rest.post(`/api/messages/${dm}`, { content: 'during' })
  assertRefused(await say, 503, 'read_only')
  assertRefused(await mimir.rest().post('/api/auth/register', {}), 503, 'read_only')
  // Tokens without a session open nothing, not even reading.
  const { keyring, config } = mimir.app.ctx
  const { id: kid, key } = keyring.current('jwt')
  const withoutSession = await new SignJWT({ sub: alice.id })
    .setProtectedHeader({ alg: 'HS256', kid })
    .setIssuer(config.jwt.issuer)
    .setAudience(config.jwt.audience)
    .setJti('test')
    .setNotBefore('0s')
    .setExpirationTime('5m')
    .sign(key)
  const keyed = mimir.rest(withoutSession).get(`/api/messages/${dm}`)
  assertRefused(await keyed, 503, 'locked_down')
  const hub = await mimir.hub(accessToken)
  await hub.assertRefused('read_only', 'SendMessage', dm, 'during')
})

test('on a read-only server people with a second factor sign in too, and sign out', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { secret } = await setUpTotp(mimir, alice)
  await mimir.command('lockdown.start', { mode: 'read-only' })
  mimir.clock.advance(MINUTE)
  const { challenge } = (await tryPassword(mimir, alice)).body
  const code = codeOf(mimir, secret)
  const pair = assertDone(await mimir.rest().post('/api/auth/second-factor', { challenge, code }))
  const rest = mimir.rest(pair.accessToken)
  assertDone(await rest.get('/api/me'))
  assertRefused(await rest.post('/api/me/totp'), 503, 'read_only')
  const { refreshToken } = pair
  const renewed = assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken }))
  const signedOut = { refreshToken: renewed.refreshToken }
  assertDone(await mimir.rest().post('/api/auth/logout', signedOut), 204)
  assertDone(await mimir.rest().post('/api/auth/passkey/options'))
  // It is processed, not refused by the lockdown.
  const app = await mimir.rest().post('/api/auth/app-code/redeem', { code: 'x', verifier: 'x' })
  assert.notEqual(app.status, 503)
})

test('on a read-only server a browser signs in, by both steps, and out', async () => {
  await using mimir = await bootWithAddress()
  const alice = await mimir.person('alice')
  const { secret } = await setUpTotp(mimir, alice)
  await mimir.command('lockdown.start', { mode: 'read-only' })
  mimir.clock.advance(MINUTE)
  const browser = await browserOf(mimir.publicUrl, alice)
  const url = (path: string) => `${mimir.publicUrl}${path}`
  const code = codeOf(mimir, secret)
  assert.equal((await browser.post(url('/auth/second-factor'), { code })).status, 200)
  assert.equal((await browser.request(url('/api/me'))).status, 200)
  assert.equal((await browser.post(url('/auth/logout'), {})).status, 200)
  assert.equal((await browser.request(url('/api/me'))).status, 401)
})

test('on a read-only server people sign in with a provider, but nobody gets an account', async () => {
  await using sso = await startSso()
  const { mimir, idp, url } = sso
  for (const login of ['anna', 'bert', 'carl']) {
    const email = `${login}@example.org`
    idp.people.set(login, { email, email_verified: true, preferred_username: login })
  }
  await sso.signIn(new WebBrowser(), 'anna')
  await mimir.person('alice')
  await mimir.command('lockdown.start', { mode: 'read-only' })
  const known = new WebBrowser()
  await sso.signIn(known, 'anna')
  assert.equal((await known.request(`${url}/api/me`)).status, 200)
  const refused = await sso.signIn(new WebBrowser(), 'bert')
  assert.equal(refused.status, 503)
  assert.match(refused.text, /read-only/)
  // The operator said whose account it is.
  await mimir.command('subject.link', { subject: 'carl', user: 'alice', issuer: idp.issuer })
  assert.equal((await sso.signIn(new WebBrowser(), 'carl')).status, 200)

  const accounts: { username: string }[] = await mimir.command('user.list')
  assert.deepEqual(accounts.map(({ username }) => username).sort(), ['alice', 'anna'])
  await mimir.command('lockdown.lift')
  assert.equal((await sso.signIn(new WebBrowser(), 'bert')).status, 200)
})

test('MCP is off in a lockdown, whoever calls', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { key } = await makeKey(mimir, 'a service')
  for (const mode of ['read-only', 'closed']) {
    await mimir.command('lockdown.start', { mode })
    const rest = mode === 'closed' ? mimir.rest() : mimir.rest((await alice.signIn()).accessToken)
    for (const caller of [rest, mimir.rest(), byKey(mimir, key)]) {
      assertRefused(await callTool(caller, 'todo', { operation: 'list' }), 503, 'locked_down')
    }
    await mimir.command('lockdown.lift')
  }
  const rest = mimir.rest((await alice.signIn()).accessToken)
  assert.equal((await callTool(rest, 'todo', { operation: 'list' })).status, 200)
})

test('what a lockdown and strict mode refuse is what is declared to change something', async () => {
  await using mimir = await boot()
  const owner = await mimir.owner('root')
  await mimir.command('lockdown.start', { mode: 'read-only' })
  const refused = async (code: string) => {
    await using visit = new Visit(mimir, { name: 'root', credential: accessToken })
    const names: string[] = []
    for (const route of routes) {
      const operation = byRest(route)
      if ((await operation.attempt(visit)).code === code) names.push(operation.name)
    }
    return names
  }
  const { accessToken } = await owner.signIn()
  const changing = routes
    .filter((route) => !isReading(route) && !route.operationClass)
    .map(operationOf)
  assert.deepEqual(await refused('read_only'), changing)
  for (const name of ['POST /api/nodes/query', 'POST /auth/sign-in', 'POST /api/auth/passkey']) {
    assert.ok(!changing.includes(name), name)
  }
  for (const name of ['GET /api/auth/verify-email', 'POST /api/nodes', 'POST /api/me/step-up']) {
    assert.ok(changing.includes(name), name)
  }
  await mimir.command('lockdown.lift')
  mimir.app.ctx.admission.close('audit')
  assert.deepEqual(await refused('audit_unavailable'), changing)
})

test('an incident is marked in the audit chain, with the time by which to tell the authority', async () => {
  await using mimir = await boot()
  const title = 'a laptop of Grace was stolen'
  const incident = await mimir.command('incident.open', { title })
  assert.equal(Date.parse(incident.notifyBy) - Date.parse(incident.openedAt), 72 * HOUR)
  const conclusion = 'nothing was read'
  await mimir.command('incident.close', { id: incident.id, conclusion })
  const again = mimir.command('incident.close', { id: incident.id, conclusion })
  await assert.rejects(again, /no such open incident/)
  const [listed] = await mimir.command('incident.list')
  assert.deepEqual([listed.title, listed.conclusion], [title, conclusion])
  const events = await mimir.app.ctx.db.read
    .selectFrom('audit_events')
    .selectAll()
    .where('target_id', '=', incident.id)
    .orderBy('id')
    .execute()
  assert.deepEqual(
    events.map(({ type }) => type),
    ['incident.opened', 'incident.closed'],
  )
  assert.ok(!JSON.stringify(events).includes('Grace'))
})

test('in strict mode nothing is changed while a sink takes nothing for long, and reading goes on', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mimir-strict-'))
  const inTheWay = join(directory, 'file')
  writeFileSync(inTheWay, '')
  const env = {
    MIMIR_AUDIT_STRICT: 'true',
    MIMIR_AUDIT_LOG_DESTINATION: 'file',
    // A file where a directory has to be.
    MIMIR_AUDIT_LOG_FILE: join(inTheWay, 'audit.jsonl'),
  }
  await using mimir = await boot({ jobs: 'by hand', env })
  const alice = await mimir.person('alice')
  const run = async () => {
    for (const job of ['chain-audit-events', 'deliver-audit-to-file', 'enforce-strict-audit']) {
      await mimir.app.jobs.runNow(job)
    }
  }
  await run()
  assertDone(await alice.rest.post('/api/me/regenerate-friend-key'))
  mimir.clock.advance(6 * MINUTE)
  await run()
  const change = await alice.rest.post('/api/me/regenerate-friend-key')
  assertRefused(change, 503, 'audit_unavailable')
  assertDone(await alice.rest.get('/api/me'))
  const hub = await alice.connect()
  await hub.assertRefused('audit_unavailable', 'Typing', alice.id, true)
  const todo = (args: object) => callTool(alice.rest, 'todo', args)
  assert.equal((await todo({ operation: 'list' })).status, 200)
  const created = await todo({ operation: 'create', title: 'Buy bread' })
  assert.deepEqual([created.status, created.body.error.data.error], [503, 'audit_unavailable'])
  assertDone(await alice.rest.get('/xrpc/blue.catbird.mls.getConvos'))
  // A query, but each key package is handed out only once.
  const did = `${mimir.app.ctx.config.atproto.localDidPrefix}alice`
  const taken = await alice.rest.get(`/xrpc/blue.catbird.mls.getKeyPackages?dids=${did}`)
  assert.equal(taken.status, 503, JSON.stringify(taken.body))
  const optedIn = await alice.rest.post('/xrpc/blue.catbird.mls.optIn', {})
  assert.deepEqual([optedIn.status, optedIn.body.error], [503, 'ServiceUnavailable'])
})
