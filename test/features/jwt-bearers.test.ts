import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportSPKI } from 'jose'
import { type Appliance, boot } from '../harness/boot.ts'
import { Issuer } from '../harness/issuer.ts'
import { auditOf } from '../harness/keys.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const HOUR = 3_600_000

/** Boots an appliance that accepts the issuer's tokens, with a service for the subject `client-1`. */
async function bootFor(issuer: Issuer, env: Record<string, string> = {}): Promise<Appliance> {
  const mimir = await boot({
    env: { MIMIR_OAUTH_ISSUER: issuer.url, MIMIR_OAUTH_AUDIENCE: 'mimir-api', ...env },
  })
  const link = { user: 'reporting job', subject: 'client-1', service: true }
  await mimir.command('subject.link', link)
  return mimir
}

const me = (mimir: Appliance, token: string) => mimir.rest(token).get('/api/me')

test('a token of the issuer opens the account of its subject, by whichever algorithm', async () => {
  await using issuer = await Issuer.start()
  await using mimir = await bootFor(issuer)
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
    await issuer.rotate(alg)
    mimir.clock.advance(31_000)
    const account = assertDone(await me(mimir, await issuer.token(mimir.clock.now())))
    assert.equal(account.username, 'reporting_job')
  }
  const now = mimir.clock.now()
  const [linked] = await auditOf(mimir, 'account.subject_linked')
  assert.deepEqual(linked?.details, { issuer: issuer.url, newService: true })
  const status = assertDone(await mimir.rest(await issuer.token(now)).get('/auth/status'))
  assert.equal(status.authenticated, true)
  assert.deepEqual(status.methods, ['password', 'api-key', 'jwt'])
  assert.equal(status.expiresAt, new Date(Math.floor(now / 1000) * 1000 + 300_000).toISOString())
  // Some issuers set no type, or just JWT, and several audiences.
  for (const [claims, header] of [
    [{ aud: ['other', 'mimir-api'] }, {}],
    [{}, { typ: 'JWT' }],
    [{}, { typ: undefined }],
    [{ iat: now / 1000 + 30 }, {}],
  ]) {
    assertDone(await me(mimir, await issuer.token(now, claims, header)))
  }
})

test('where a role needs a second factor a token has to say that one was shown', async () => {
  await using issuer = await Issuer.start()
  await using mimir = await bootFor(issuer, { MIMIR_MFA_REQUIRED_ROLES: 'admin' })
  await mimir.admin('alice')
  await mimir.command('subject.link', { user: 'alice', subject: 'alice@idp' })
  const tokenOf = (claims: object) =>
    issuer.token(mimir.clock.now(), { sub: 'alice@idp', ...claims })
  for (const weak of [{}, { amr: ['pwd'] }, { acr: 'urn:strong' }]) {
    const refused = await me(mimir, await tokenOf(weak))
    assertRefused(refused, 401, 'invalid_token')
    const challenge = refused.headers.get('www-authenticate') ?? ''
    assert.match(challenge, /insufficient_user_authentication/)
  }
  assertDone(await me(mimir, await tokenOf({ amr: ['pwd', 'otp'] })))
  assertDone(await me(mimir, await tokenOf({ amr: ['mfa'] })))
  // Services do not have the role in question.
  assertDone(await me(mimir, await issuer.token(mimir.clock.now())))
})

test('a token of another organisation or hosted domain opens no account, linked or not', async () => {
  await using issuer = await Issuer.start()
  const provider = (rules: object) =>
    JSON.stringify([
      { name: 'work', type: 'generic', issuer: issuer.url, client: { id: 'x' }, ...rules },
    ])
  const cases = [
    [{ organization: 'org_1' }, { org_id: 'org_1' }, { org_id: 'org_2' }, 'organization'],
    [{ hostedDomain: 'Example.org' }, { hd: 'example.ORG' }, { hd: 'evil.org' }, 'hosted domain'],
  ] as const
  for (const [rules, good, bad, name] of cases) {
    // Either the provider has the audience itself, or separate settings name the same issuer.
    for (const env of [
      { MIMIR_OIDC_PROVIDERS: provider({ ...rules, audience: 'mimir-api' }) },
      {
        MIMIR_OIDC_PROVIDERS: provider(rules),
        MIMIR_OAUTH_ISSUER: issuer.url,
        MIMIR_OAUTH_AUDIENCE: 'mimir-api',
      },
    ]) {
      await using mimir = await boot({ env })
      const subject = { subject: 'client-1', issuer: issuer.url }
      await mimir.command('subject.link', { user: 'a job', service: true, ...subject })
      const now = mimir.clock.now()
      assertDone(await me(mimir, await issuer.token(now, good)))
      for (const claims of [bad, {}, { ...bad, sub: 'nobody' }]) {
        assertRefused(await me(mimir, await issuer.token(now, claims)), 403, 'not_admitted')
      }
      const reasons = (await auditOf(mimir, 'access.denied')).map(({ details }) => details.reason)
      assert.deepEqual(new Set(reasons), new Set([`another ${name}`]))
    }
  }
})

test('every other token is refused alike, and the audit says why', async () => {
  await using issuer = await Issuer.start()
  await using stranger = await Issuer.start()
  await using mimir = await bootFor(issuer)
  const now = mimir.clock.now()
  const seconds = Math.floor(now / 1000)
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const [, payload = ''] = (await issuer.token(now)).split('.')
  const publicPem = new TextEncoder().encode(await exportSPKI(issuer.current.publicKey))
  const forged: Record<string, string> = {
    unsigned: `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
    'HS256 by the public key': await issuer.token(now, {}, { alg: 'HS256' }, publicPem),
    'another’s key under our name': await issuer.token(now, {}, {}, stranger.current.privateKey),
    'an unknown key': await issuer.token(now, {}, { kid: 'other' }),
    'another audience': await issuer.token(now, { aud: 'somebody-else' }),
    'no audience': await issuer.token(now, { aud: undefined }),
    'not yet valid': await issuer.token(now, { nbf: seconds + 120 }),
    'made in the future': await issuer.token(now, { iat: seconds + 120 }),
    'without an end': await issuer.token(now, { exp: undefined }),
    'without a subject': await issuer.token(now, { sub: undefined }),
    'an empty subject': await issuer.token(now, { sub: '' }),
    'an ID token': await issuer.token(now, { nonce: 'x' }),
    'a logout token': await issuer.token(now, {}, { typ: 'logout+jwt' }),
    'a changed one': `${(await issuer.token(now)).slice(0, -8)}AAAAAAAA`,
  }
  for (const [what, token] of Object.entries(forged)) {
    const reply = await me(mimir, token)
    assert.equal(reply.status, 401, what)
    assertRefused(reply, 401, 'invalid_token')
    assert.match(reply.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
  }
  const reasons = (await auditOf(mimir, 'access.denied')).map(({ details }) => details.reason)
  assert.equal(reasons.length, Object.keys(forged).length)
  assert.ok(
    reasons.every((reason) => reason.startsWith('jwt: ')),
    reasons.join('\n'),
  )

  assertRefused(
    await me(mimir, await issuer.token(now, { exp: seconds - 61 })),
    401,
    'token_expired',
  )
  // Another issuer's token is not even examined: it is not one of ours.
  assertRefused(await me(mimir, await stranger.token(now)), 401, 'unauthorized')
})

test('who is not known, or shut out, is not admitted', async () => {
  await using issuer = await Issuer.start()
  await using mimir = await bootFor(issuer)
  const now = mimir.clock.now()
  const unknown = await me(mimir, await issuer.token(now, { sub: 'client-2' }))
  assertRefused(unknown, 403, 'not_admitted')
  await mimir.command('user.suspend', { user: 'reporting_job' })
  const suspended = await me(mimir, await issuer.token(now))
  assertRefused(suspended, 403, 'not_admitted')
  assert.equal(suspended.body.message, unknown.body.message)
  await mimir.command('user.reinstate', { user: 'reporting_job' })
  assertDone(await me(mimir, await issuer.token(now)))
  await mimir.command('subject.unlink', { subject: 'client-1' })
  assertRefused(await me(mimir, await issuer.token(now)), 403, 'not_admitted')
})

test('scopes of the token narrow what its account may, and widen nothing', async () => {
  await using issuer = await Issuer.start()
  await using mimir = await bootFor(issuer)
  const now = mimir.clock.now()
  const by = async (claims: object) => mimir.rest(await issuer.token(now, { ...claims }))

  for (const claims of [{ scope: 'openid friends:read' }, { scp: ['friends:read'] }]) {
    const rest = await by(claims)
    assertDone(await rest.get('/api/friends'))
    const refused = await rest.get('/api/conversations')
    assertRefused(refused, 403, 'insufficient_permission')
    assert.equal(refused.body.permission, 'conversations:read')
  }
  // Other services' scope names mean nothing to us.
  assertDone(await (await by({ scope: 'openid profile' })).get('/api/conversations'))
  const wide = await (await by({ scope: '*' })).post('/api/keys', { name: 'x' })
  assertRefused(wide, 403, 'insufficient_permission')
})

test('keys are read once, again at a new name, and a rotated-out one opens nothing', async () => {
  await using issuer = await Issuer.start()
  await using mimir = await bootFor(issuer)
  const now = mimir.clock.now()
  const old = await issuer.token(now)
  for (let n = 0; n < 5; n++) assertDone(await me(mimir, old))
  assert.equal(issuer.reads, 1)
  // Key ids made up by a stranger do not cause repeated requests.
  for (let n = 0; n < 5; n++) {
    assertRefused(
      await me(mimir, await issuer.token(now, {}, { kid: `no-${n}` })),
      401,
      'invalid_token',
    )
  }
  assert.equal(issuer.reads, 1)

  await issuer.rotate('ES256')
  mimir.clock.advance(31_000)
  assertDone(await me(mimir, await issuer.token(mimir.clock.now())))
  assert.equal(issuer.reads, 2)
  assertRefused(await me(mimir, old), 401, 'invalid_token')
})

test('a key set that many wait for is read once', async () => {
  await using issuer = await Issuer.start()
  await using mimir = await bootFor(issuer)
  const token = await issuer.token(mimir.clock.now())
  await Promise.all(Array.from({ length: 10 }, async () => assertDone(await me(mimir, token))))
  assert.equal(issuer.reads, 1)
})

test('while the issuer is down its known keys go on; without any it is unavailable', async () => {
  await using issuer = await Issuer.start()
  await using mimir = await bootFor(issuer)
  issuer.down = true
  const now = mimir.clock.now()
  assertRefused(await me(mimir, await issuer.token(now)), 502, 'idp_unavailable')
  // The server's own sessions are unaffected.
  const ann = await mimir.person('ann')
  assertDone(await me(mimir, ann.accessToken))

  issuer.down = false
  assertRefused(await me(mimir, await issuer.token(now)), 502, 'idp_unavailable')
  mimir.clock.advance(11_000)
  assertDone(await me(mimir, await issuer.token(mimir.clock.now())))
  issuer.down = true
  assertDone(await me(mimir, await issuer.token(mimir.clock.now())))
  mimir.clock.advance(2 * HOUR)
  assertDone(await me(mimir, await issuer.token(mimir.clock.now())))
  // But not forever: the issuer may have withdrawn keys meanwhile.
  mimir.clock.advance(24 * HOUR)
  assertRefused(await me(mimir, await issuer.token(mimir.clock.now())), 502, 'idp_unavailable')
})

test('a discovery document of somebody else is not believed', async () => {
  await using issuer = await Issuer.start()
  issuer.alias = 'https://idp.example.org'
  await using mimir = await bootFor(issuer)
  const reply = await me(mimir, await issuer.token(mimir.clock.now()))
  assertRefused(reply, 502, 'idp_unavailable')
})

test('such tokens are for REST: the hub takes none', async () => {
  await using issuer = await Issuer.start()
  await using mimir = await bootFor(issuer)
  await assert.rejects(mimir.hub(await issuer.token(mimir.clock.now())), /401/)
})

test('callers by such a token need no version of an app', async () => {
  await using issuer = await Issuer.start()
  await using mimir = await bootFor(issuer, { MIN_APP_VERSION_ANDROID: '2.0' })
  const rest = mimir.rest(await issuer.token(mimir.clock.now()))
  assertDone(await rest.get('/api/conversations'))
})

test('claims name further roles, where the role file says so', async () => {
  await using issuer = await Issuer.start()
  const roles = {
    version: '1.0',
    claimPath: 'realm_access.roles',
    defaultRole: 'viewer',
    roleMappings: {
      operators: { permissions: ['users:*', 'keys:read'] },
      viewer: { permissions: ['audit:read'] },
    },
  }
  await using mimir = await bootFor(issuer, { MIMIR_RBAC_CONFIG: JSON.stringify(roles) })
  const now = mimir.clock.now()
  const keys = async (claims: object) =>
    mimir.rest(await issuer.token(now, { ...claims })).get('/api/keys')

  assertDone(await keys({ realm_access: { roles: ['operators', 'unknown'] } }))
  for (const claims of [
    {},
    { realm_access: { roles: ['unknown'] } },
    { realm_access: { roles: { operators: true } } },
    { roles: ['operators'] },
    { realm_access: { roles: [['operators']] } },
    // Too many roles to list, so the token has only a pointer: that grants none.
    { _claim_names: { realm_access: 'src1' } },
  ]) {
    assertRefused(await keys(claims), 403, 'insufficient_permission')
  }
  const status = await mimir.rest(await issuer.token(now)).get('/auth/status')
  assert.deepEqual(assertDone(status).user.roles, ['service', 'viewer'])
})
