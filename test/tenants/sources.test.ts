import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt, SignJWT } from 'jose'
import { type ConfigError, loadConfig } from '../../src/config/load.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { HubClient } from '../harness/hub.ts'
import { Issuer } from '../harness/issuer.ts'
import { rawRequest } from '../harness/raw-request.ts'
import { assertDone, assertRefused, type Reply } from '../harness/rest.ts'
import { bootTwoTenants, DEFAULT_HOST } from '../harness/tenants.ts'

/** The username that the token belongs to, or the status of the refusal. */
async function whoIs(mimir: Appliance, token: string, headers = {}): Promise<number | string> {
  const { status, body } = await mimir.rest(token).with(headers).get('/api/me')
  return status === 200 ? body.username : status
}

function asHost(mimir: Appliance, host: string, path: string): Promise<Reply> {
  return rawRequest(mimir.url + path, { headers: { host } })
}

test('host: each host leads to its tenant, any port and spelling; an unknown one to nobody', async () => {
  await using servers = await bootTwoTenants()
  const { mimir, acme, beta } = servers
  const [ann, ben] = [await acme.person('ann'), await beta.person('ben')]
  assert.equal(await whoIs(acme, ann.accessToken), 'ann')
  assert.equal(await whoIs(beta, ben.accessToken), 'ben')
  assert.equal(await whoIs(beta, ann.accessToken), 401)
  assert.equal(await whoIs(acme, ben.accessToken), 401)
  const status = (host: string, path = '/auth/status') => asHost(mimir, host, path)
  for (const host of ['LOCALHOST:1', 'localhost.', DEFAULT_HOST]) {
    assertDone(await status(host))
  }
  for (const host of ['nobody.example.org', 'x.localhost', 'localhost.example.org', '[::1]']) {
    assertRefused(await status(host), 404, 'unknown_host')
    assertRefused(await status(host, '/api/me'), 404, 'unknown_host')
    // Health checks of the process need no tenant.
    for (const path of ['/health', '/health/ready']) assertDone(await status(host, path))
    // Other paths may end with the same word.
    assertRefused(await status(host, '/join/health'), 404, 'unknown_host')
  }
})

test('host: what an administrator changes counts at once', async () => {
  await using servers = await bootTwoTenants()
  const { mimir } = servers
  const taken = { id: 'beta', hosts: ['localhost'] }
  await assert.rejects(mimir.command('tenant.change', taken), { code: 'host_taken' })
  await mimir.command('tenant.change', { id: 'beta', hosts: ['beta.example.org', '127.0.0.1'] })
  assertDone(await asHost(mimir, 'beta.example.org', '/auth/status'))
  await mimir.command('tenant.change', { id: 'beta', hosts: ['127.0.0.1'] })
  assertRefused(await asHost(mimir, 'beta.example.org', '/auth/status'), 404, 'unknown_host')
})

test('header: believed from a trusted proxy alone; without it, or with an unknown name, 403', async () => {
  const env = { MIMIR_TENANT_ID_SOURCE: 'header:X-Tenant', MIMIR_TRUSTED_PROXIES: '127.0.0.1' }
  await using servers = await bootTwoTenants({ env })
  const { mimir } = servers
  await mimir.command('tenant.change', { id: 'acme', claims: ['org_Acme'] })
  const rest = (tenant?: string) =>
    mimir.rest().with(tenant === undefined ? {} : { 'x-tenant': tenant })
  for (const tenant of ['acme', 'beta', 'default', 'org_Acme']) {
    assertDone(await rest(tenant).get('/auth/status'))
  }
  for (const tenant of ['nobody', 'acme, beta', 'org_acme', '__proto__']) {
    assertRefused(await rest(tenant).get('/auth/status'), 403, 'unknown_tenant')
  }
  assertRefused(await rest().get('/auth/status'), 403, 'tenant_required')
  assertRefused(await rest('').get('/auth/status'), 403, 'tenant_required')
  assertDone(await rest().get('/health'))
  // The same username in both: a token is good for one of them.
  const { token } = await mimir.tenant('acme', 'localhost').command('invite.create')
  const account = { invitationToken: token, email: 'a@example.org', username: 'ann' }
  const registration = { ...account, password: 'a long password' }
  assert.notEqual((await rest('beta').post('/api/auth/register', registration)).status, 200)
  assertDone(await rest('acme').post('/api/auth/register', registration))
})

test('header: from anybody else it is as good as none', async () => {
  const env = { MIMIR_TENANT_ID_SOURCE: 'header:x-tenant', MIMIR_TRUSTED_PROXIES: '192.0.2.1' }
  await using servers = await bootTwoTenants({ env })
  const { mimir } = servers
  for (const tenant of ['acme', 'default', 'nobody']) {
    const rest = mimir.rest().with({ 'x-tenant': tenant, 'x-forwarded-for': '192.0.2.1' })
    assertRefused(await rest.get('/auth/status'), 403, 'tenant_required')
  }
})

test('jwt_claim: the claim leads, the tenant verifies; without one the host decides, else the default', async () => {
  const env = { MIMIR_TENANT_ID_SOURCE: 'jwt_claim:org.id' }
  await using servers = await bootTwoTenants({ env })
  const { mimir, acme, beta } = servers
  const other = `http://127.0.0.1:${new URL(mimir.url).port}`
  // Without a bearer token the host decides: each signs in at their own.
  const [ann, ben] = [await acme.person('ann'), await beta.person('ben')]
  assert.deepEqual(decodeJwt(ann.accessToken).org, { id: 'acme' })
  // From then on the token decides, whatever the host, on the hub too.
  assert.equal(await whoIs(beta, ann.accessToken), 'ann')
  assert.equal(await whoIs(acme, ben.accessToken), 'ben')
  const hub = await new HubClient(other, ann.accessToken).start()
  await hub.assertRefused('not_member', 'SendMessage', ben.id, 'x')
  await hub.stop()
  // A forged claim selects that tenant, but gives no access.
  const forge = (claims: object) =>
    new SignJWT({ ...decodeJwt(ann.accessToken), ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new Uint8Array(32))
  assert.equal(await whoIs(acme, await forge({ org: { id: 'beta' } })), 401)
  const unknown = await mimir.rest(await forge({ org: { id: 'nobody' } })).get('/api/me')
  assertRefused(unknown, 403, 'unknown_tenant')
  for (const org of [undefined, 'acme', { id: 7 }, { id: '' }, ['acme'], null]) {
    assert.equal(await whoIs(acme, await forge({ org })), 401)
  }
  await mimir.command('tenant.change', { id: 'acme', claims: ['org_Acme'] })
  assert.equal(await whoIs(beta, await forge({ org: { id: 'org_Acme' } })), 401)
  assertDone(await asHost(mimir, 'nobody.example.org', '/auth/status'))
})

test('jwt_claim: tokens of one issuer lead to the organisation they name, and open what is linked there', async () => {
  await using issuer = await Issuer.start()
  const env = {
    MIMIR_TENANT_ID_SOURCE: 'jwt_claim:org_id',
    MIMIR_OAUTH_ISSUER: issuer.url,
    MIMIR_OAUTH_AUDIENCE: 'mimir-api',
  }
  await using servers = await bootTwoTenants({ env })
  const { mimir, acme, beta } = servers
  await mimir.command('tenant.change', { id: 'acme', claims: ['org_7aXq'] })
  const link = (one: Appliance, user: string, subject: string) =>
    one.command('subject.link', { user, subject, service: true })
  await link(acme, 'job of acme', 'client-1')
  await link(beta, 'job of beta', 'client-1')
  await link(beta, 'another', 'client-2')
  const ask = async (claims: object, at = mimir) =>
    at.rest(await issuer.token(mimir.clock.now(), { ...claims })).get('/api/me')
  for (const at of [mimir, acme, beta]) {
    const { username } = assertDone(await ask({ org_id: 'org_7aXq' }, at))
    assert.equal(username, 'job_of_acme')
  }
  assert.equal(assertDone(await ask({ org_id: 'beta' })).username, 'job_of_beta')
  assertRefused(await ask({ org_id: 'org_7aXq', sub: 'client-2' }), 403, 'not_admitted')
  assertRefused(await ask({ org_id: 'org_8' }), 403, 'unknown_tenant')
  // Tokens without an organisation go to the host's tenant.
  assertRefused(await ask({}), 403, 'not_admitted')
  assert.equal(assertDone(await ask({}, beta)).username, 'job_of_beta')
})

test('static: all requests are one tenant’s, the default one’s unless it says another', async () => {
  await using servers = await bootTwoTenants({ env: { MIMIR_TENANT_ID_SOURCE: 'static:beta' } })
  const { mimir, acme, beta } = servers
  const ben = await beta.person('ben')
  assert.equal(await whoIs(acme, ben.accessToken), 'ben')
  const hub = await ben.connect()
  await mimir.command('tenant.disable', { id: 'beta' })
  await eventually(() => hub.closed, 'a connection outlived its tenant')
  assertRefused(await beta.rest().get('/auth/status'), 403, 'tenant_disabled')
  assert.deepEqual(
    (await mimir.command('tenant.list')).map(({ id, state }: { id: string; state: string }) => [
      id,
      state,
    ]),
    [
      ['default', 'serving'],
      ['acme', 'serving'],
      ['beta', 'disabled'],
    ],
  )
})

test('with one tenant a request may say what it likes', async () => {
  await using mimir = await boot()
  const headers = { host: 'nobody.example.org', 'x-tenant': 'acme' }
  assertDone(await rawRequest(`${mimir.url}/auth/status`, { headers }))
  await assert.rejects(mimir.command('tenant.create', { id: 'acme' }), {
    code: 'multi_tenancy_off',
  })
  const ann = await mimir.person('ann')
  assert.deepEqual(Object.keys(decodeJwt(ann.accessToken)).sort(), [
    'aud',
    'email',
    'exp',
    'iat',
    'iss',
    'jti',
    'nbf',
    'sid',
    'sub',
    'username',
  ])
})

test('bad settings do not start, and the reason is told', () => {
  const problemsOf = (env: Record<string, string>): readonly string[] => {
    try {
      loadConfig({ dataDir: '/nowhere', env: { MIMIR_ENABLE_MULTI_TENANCY: 'true', ...env } })
      return []
    } catch (error) {
      return (error as ConfigError).problems
    }
  }
  const source = (text: string) => problemsOf({ MIMIR_TENANT_ID_SOURCE: text })
  for (const good of [
    'host',
    'static:default',
    'static:acme',
    'jwt_claim:org_id',
    'jwt_claim:a.b',
  ]) {
    assert.deepEqual(source(good), [], good)
  }
  for (const bad of [
    ...['host:x', 'cookie:x', 'header', 'header:', 'header:a b', 'jwt_claim', 'jwt_claim:a..b'],
    ...['jwt_claim:sub', 'static', 'static:Acme', 'static:a--b', 'nonsense', 'header:x-tenant'],
  ]) {
    const problems = source(bad)
    assert.equal(problems.length, 1, bad)
    assert.match(problems[0] as string, /^MIMIR_TENANT_ID_SOURCE: /)
  }
  const proxies = { MIMIR_TRUSTED_PROXIES: '192.0.2.1' }
  for (const name of ['host', 'Authorization', 'cookie']) {
    assert.equal(problemsOf({ ...proxies, MIMIR_TENANT_ID_SOURCE: `header:${name}` }).length, 1)
  }
  for (const isolation of ['shared', 'none', 'STRICT']) {
    assert.match(
      problemsOf({ MIMIR_TENANT_ISOLATION: isolation })[0] ?? '',
      /only strict is accepted: in/,
    )
  }
  assert.match(problemsOf({ MIMIR_ENABLE_SECURITY: 'false' })[0] ?? '', /ENABLE_SECURITY/)
  const off = { MIMIR_ENABLE_MULTI_TENANCY: 'false', MIMIR_TENANT_ID_SOURCE: 'host' }
  assert.match(problemsOf(off)[0] ?? '', /ENABLE_MULTI_TENANCY is not true/)
})
