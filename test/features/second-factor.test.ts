import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { codeOf, setUpTotp, tryPassword } from '../harness/factors.ts'
import { bootWithAddress, browserOf } from '../harness/oauth.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

const complete = (mimir: Appliance, challenge: string, code: string) =>
  mimir.rest().post('/api/auth/second-factor', { challenge, code })

test('an account without a second factor signs in as it always did', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const reply = assertDone(await tryPassword(mimir, alice))
  assert.deepEqual(Object.keys(reply).sort(), [
    ...[
      'accessExpiresAt',
      'accessToken',
      'isAdmin',
      'refreshExpiresAt',
      'refreshToken',
      'username',
    ],
  ])
})

test('with an authenticator app a password alone gets a challenge, and its code the token pair', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { secret, recoveryCodes } = await setUpTotp(mimir, alice)
  assert.equal(new Set(recoveryCodes).size, 10)
  mimir.clock.advance(30 * SECOND)
  const asked = await tryPassword(mimir, alice)
  assertRefused(asked, 401, 'mfa_required')
  assert.deepEqual(asked.body.methods, ['totp', 'recovery'])
  // The message is readable for people whose old client just shows it.
  assert.match(asked.body.message, /second step/)
  const { challenge } = asked.body
  const pair = assertDone(await complete(mimir, challenge, codeOf(mimir, secret)))
  assert.equal(assertDone(await mimir.rest(pair.accessToken).get('/api/me')).id, alice.id)
  assert.equal(pair.recoveryCodes, undefined)
  assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken: pair.refreshToken }))
  // The challenge is used up, whatever code comes with it.
  mimir.clock.advance(30 * SECOND)
  const again = await complete(mimir, challenge, codeOf(mimir, secret))
  assertRefused(again, 401, 'invalid_or_expired_challenge')
})

test('a wrong password tells nothing of a second factor', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  await setUpTotp(mimir, alice)
  const wrong = { usernameOrEmail: 'alice', password: 'not the password' }
  assertRefused(await mimir.rest().post('/api/auth/login', wrong), 401, 'invalid_credentials')
})

test('a code counts once, and the one before it not any more', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { secret } = await setUpTotp(mimir, alice)
  const challenge = async () => (await tryPassword(mimir, alice)).body.challenge
  const refused = async (steps: number) =>
    assertRefused(
      await complete(mimir, await challenge(), codeOf(mimir, secret, steps)),
      401,
      'invalid_second_factor',
    )
  // The set-up used the current code.
  await refused(0)
  await refused(-1)
  await refused(2)
  // A clock one step ahead is accepted.
  assertDone(await complete(mimir, await challenge(), codeOf(mimir, secret, 1)))
  await refused(1)
  await refused(0)
})

test('of two sign-ins with one code at the same moment one gets in', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { secret } = await setUpTotp(mimir, alice)
  mimir.clock.advance(30 * SECOND)
  const code = codeOf(mimir, secret)
  const challenges = await Promise.all([tryPassword(mimir, alice), tryPassword(mimir, alice)])
  const replies = await Promise.all(
    challenges.map(({ body }) => complete(mimir, body.challenge, code)),
  )
  assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 401])
})

test('a challenge ends with the password that it was for, with the account and with time', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { secret } = await setUpTotp(mimir, alice)
  mimir.clock.advance(30 * SECOND)
  const challenge = async () => (await tryPassword(mimir, alice)).body.challenge
  const refused = async (token: string) =>
    assertRefused(
      await complete(mimir, token, codeOf(mimir, secret)),
      401,
      'invalid_or_expired_challenge',
    )
  await refused('made-up')
  const late = await challenge()
  mimir.clock.advance(10 * MINUTE + SECOND)
  await refused(late)
  const suspended = await challenge()
  await mimir.command('user.suspend', { user: 'alice' })
  await refused(suspended)
  await mimir.command('user.reinstate', { user: 'alice' })
  await refused(suspended)
  const stolen = await challenge()
  await mimir.command('user.reset-password', { user: 'alice', password: 'another password' })
  await refused(stolen)
})

test('each recovery code opens once, however it is typed', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { recoveryCodes } = await setUpTotp(mimir, alice)
  const [first = '', second = ''] = recoveryCodes
  const challenge = async () => (await tryPassword(mimir, alice)).body.challenge
  assertDone(await complete(mimir, await challenge(), first))
  const again = await complete(mimir, await challenge(), first)
  assertRefused(again, 401, 'invalid_second_factor')
  const typed = second.toLowerCase().replaceAll('-', ' ')
  const pair = assertDone(await complete(mimir, await challenge(), typed))
  const rest = mimir.rest(pair.accessToken)
  assert.equal(assertDone(await rest.get('/api/me/second-factors')).recoveryCodesLeft, 8)
  const { recoveryCodes: renewed } = assertDone(await rest.post('/api/me/recovery-codes'))
  const old = await complete(mimir, await challenge(), recoveryCodes[2] as string)
  assertRefused(old, 401, 'invalid_second_factor')
  assertDone(await complete(mimir, await challenge(), renewed[0]))
})

test('a recovery code has more bits than can be searched through, and the shorter ones of earlier still open', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { recoveryCodes } = await setUpTotp(mimir, alice)
  // Six groups of four base32 characters: 120 bits. NIST SP 800-63B asks for 112, or a slow salted hash.
  for (const code of recoveryCodes)
    assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/)
  const shorter = '0123-4567-89AB-CDEF'
  const hashed = createHash('sha256').update(`${alice.id}:${shorter.replaceAll('-', '')}`)
  const [kept] = await mimir.app.ctx.db.read.selectFrom('recovery_codes').selectAll().execute()
  await mimir.app.ctx.db.transaction(async (tx) => {
    const row = { ...kept, code_hash: hashed.digest('hex') } as typeof kept & object
    await tx.insertInto('recovery_codes').values(row).execute()
  })
  for (const code of [shorter, recoveryCodes[0] as string]) {
    const { challenge } = (await tryPassword(mimir, alice)).body
    assertDone(await complete(mimir, challenge, code))
  }
})

test('neither secret nor recovery codes lie open in the store', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { secret, recoveryCodes } = await setUpTotp(mimir, alice)
  const { read } = mimir.app.ctx.db
  const stored = JSON.stringify([
    await read.selectFrom('totp_secrets').selectAll().execute(),
    await read.selectFrom('recovery_codes').selectAll().execute(),
    await read.selectFrom('audit_events').selectAll().execute(),
  ])
  for (const text of [secret, ...recoveryCodes]) assert.ok(!stored.includes(text))
  const [row] = await read.selectFrom('totp_secrets').selectAll().execute()
  assert.ok(row && !row.sealed.includes(secret))
})

test('a key that seals an authenticator cannot be retired', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { id } = mimir.app.ctx.keyring.current('message')
  await setUpTotp(mimir, alice)
  await mimir.command('key.rotate', { purpose: 'message' })
  await assert.rejects(mimir.command('key.retire', { id }), { code: 'key_in_use' })
  // It still decrypts what it encrypted.
  mimir.clock.advance(30 * SECOND)
  assertRefused(await tryPassword(mimir, alice), 401, 'mfa_required')
})

test('set-up counts only once a code showed that the app has the secret', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { secret } = assertDone(await alice.rest.post('/api/me/totp'))
  assertDone(await tryPassword(mimir, alice))
  const wrong = await alice.rest.post('/api/me/totp/confirm', { code: '000000' })
  assertRefused(wrong, 401, 'invalid_second_factor')
  // Starting again invalidates the first secret.
  const { secret: second } = assertDone(await alice.rest.post('/api/me/totp'))
  const confirm = (code: string) => alice.rest.post('/api/me/totp/confirm', { code })
  assertRefused(await confirm(codeOf(mimir, secret)), 401, 'invalid_second_factor')
  assertDone(await confirm(codeOf(mimir, second)))
  assertRefused(await confirm(codeOf(mimir, second)), 409, 'not_set_up')
  assertRefused(await alice.rest.post('/api/me/totp'), 409, 'already_set_up')
  assertDone(await alice.rest.delete('/api/me/totp'), 204)
  assertRefused(await alice.rest.delete('/api/me/totp'), 404, 'not_found')
  assertDone(await tryPassword(mimir, alice))
})

test('what cannot be undone asks for a fresh proof: the second factor, or the password without one', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const refresh = async (refreshToken: string) =>
    assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken }))
  mimir.clock.advance(15 * MINUTE + SECOND)
  let pair = await refresh(alice.refreshToken)
  const rest = () => mimir.rest(pair.accessToken)
  const refused = await rest().post('/api/me/totp')
  assertRefused(refused, 401, 'step_up_required')
  assert.deepEqual(refused.body.methods, ['password', 'sso'])
  assert.match(
    refused.headers.get('www-authenticate') ?? '',
    /^Bearer error="insufficient_user_authentication", max_age=900$/,
  )
  const stepUp = (body: object) => rest().post('/api/me/step-up', body)
  assertRefused(await stepUp({}), 400, 'proof_missing')
  assertRefused(await stepUp({ password: 'wrong' }), 401, 'invalid_second_factor')
  assertDone(await stepUp({ password: alice.password }), 204)
  const { secret } = assertDone(await rest().post('/api/me/totp'))
  assertDone(await rest().post('/api/me/totp/confirm', { code: codeOf(mimir, secret) }))

  mimir.clock.advance(15 * MINUTE + SECOND)
  pair = await refresh(pair.refreshToken)
  const stale = await rest().delete('/api/me/totp')
  assertRefused(stale, 401, 'step_up_required')
  assert.deepEqual(stale.body.methods, ['totp', 'recovery'])
  // If there is a second factor, the first is not enough.
  assertRefused(await stepUp({ password: alice.password }), 400, 'proof_missing')
  assertDone(await stepUp({ code: codeOf(mimir, secret) }), 204)
  assertDone(await rest().delete('/api/me/totp'), 204)
})

test('a step up is of one session, and of none that a stolen refresh token opened', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const other = await alice.signIn()
  mimir.clock.advance(15 * MINUTE + SECOND)
  const refresh = async (refreshToken: string) =>
    assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken })).accessToken
  const [mine, theirs] = [await refresh(alice.refreshToken), await refresh(other.refreshToken)]
  assertDone(await mimir.rest(mine).post('/api/me/step-up', { password: alice.password }), 204)
  assertDone(await mimir.rest(mine).post('/api/me/totp'))
  assertRefused(await mimir.rest(theirs).post('/api/me/totp'), 401, 'step_up_required')
})

test('an API key does what it was granted, but changes nobody’s ways to sign in', async () => {
  await using mimir = await boot()
  const alice = await mimir.admin('alice')
  const { key } = assertDone(
    await alice.rest.post('/api/keys', { name: 'wide', scopes: ['*'] }),
    201,
  )
  const byKey = mimir.rest().with({ 'x-api-key': key })
  assertDone(await byKey.post('/api/keys', { name: 'another' }), 201)
  for (const path of ['/api/me/totp', '/api/me/recovery-codes']) {
    assertRefused(await byKey.post(path), 401, 'step_up_required')
  }
  assertRefused(await byKey.get('/api/me/passkeys/options'), 401, 'step_up_required')
  assertRefused(await byKey.post('/api/me/step-up', { password: alice.password }), 403, 'forbidden')
})

test('making an API key asks for a fresh proof', async () => {
  await using mimir = await boot()
  const alice = await mimir.admin('alice')
  mimir.clock.advance(15 * MINUTE + SECOND)
  const { refreshToken } = alice
  const { accessToken } = assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken }))
  const rest = mimir.rest(accessToken)
  assertRefused(await rest.post('/api/keys', { name: 'x' }), 401, 'step_up_required')
  assertDone(await rest.post('/api/me/step-up', { password: alice.password }), 204)
  assertDone(await rest.post('/api/keys', { name: 'x' }), 201)
})

test('a device that a code signs in is worth what the device is that made the code', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { secret } = await setUpTotp(mimir, alice)
  const { code } = assertDone(await alice.rest.post('/api/auth/link-device'))
  const linked = assertDone(await mimir.rest().post('/api/auth/link-device/redeem', { code }))
  // The device that made the link has just shown its second factor.
  assertDone(await mimir.rest(linked.accessToken).post('/api/me/recovery-codes'))
  mimir.clock.advance(15 * MINUTE + SECOND)
  const late = assertDone(
    await mimir.rest().post('/api/auth/refresh', { refreshToken: linked.refreshToken }),
  )
  const rest = mimir.rest(late.accessToken)
  assertRefused(await rest.post('/api/me/recovery-codes'), 401, 'step_up_required')
  assertDone(await rest.post('/api/me/step-up', { code: codeOf(mimir, secret) }), 204)
})

test('a role that needs a second factor is let in once one is set up, and keeps its last', async () => {
  await using mimir = await boot({ env: { MIMIR_MFA_REQUIRED_ROLES: 'owner,admin' } })
  const alice = await mimir.person('alice')
  assertDone(await tryPassword(mimir, alice))
  await mimir.command('user.set-role', { user: 'alice', role: 'admin' })
  const asked = await tryPassword(mimir, alice)
  assertRefused(asked, 401, 'mfa_enrolment_required')
  assert.match(asked.body.url, /\/auth\/sign-in$/)
  const { challenge } = asked.body
  assertRefused(await complete(mimir, challenge, '000000'), 409, 'not_set_up')
  const setUp = await mimir.rest().post('/api/auth/second-factor/set-up', { challenge })
  const { secret } = assertDone(setUp)
  const pair = assertDone(await complete(mimir, challenge, codeOf(mimir, secret)))
  assert.equal(pair.recoveryCodes.length, 10)
  const rest = mimir.rest(pair.accessToken)
  assert.equal(assertDone(await rest.get('/api/me/second-factors')).required, true)
  assertRefused(await rest.delete('/api/me/totp'), 409, 'second_factor_required')
  assertRefused(await tryPassword(mimir, alice), 401, 'mfa_required')
})

test('who rises to a role that needs a second factor acts no more by a sign-in without one', async () => {
  await using mimir = await bootWithAddress({ env: { MIMIR_MFA_REQUIRED_ROLES: 'owner,admin' } })
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  const { secret } = await setUpTotp(mimir, bob)
  const browser = await browserOf(mimir.publicUrl, alice)
  const hub = await alice.connect()
  for (const user of ['alice', 'bob']) await mimir.command('user.set-role', { user, role: 'admin' })
  // Bob has shown a factor in this session; Alice has none.
  assertDone(await bob.rest.get('/api/me'))
  assertRefused(await alice.rest.get('/api/me'), 401, 'unauthorized')
  const refresh = (refreshToken: string) => mimir.rest().post('/api/auth/refresh', { refreshToken })
  assertRefused(await refresh(alice.refreshToken), 401, 'invalid_token')
  assertDone(await refresh(bob.refreshToken))
  assert.equal((await browser.request(`${mimir.publicUrl}/api/me`)).status, 401)
  await eventually(() => hub.closed, 'the connection of the sign-in ended')
  await assert.rejects(mimir.hub(alice.accessToken))
  assertRefused(await tryPassword(mimir, alice), 401, 'mfa_enrolment_required')
  // The restriction ends with the role.
  await mimir.command('user.set-role', { user: 'alice', role: 'member' })
  assertDone(await alice.rest.get('/api/me'))
  mimir.clock.advance(30 * SECOND)
  const { challenge } = (await tryPassword(mimir, bob)).body
  assertDone(await complete(mimir, challenge, codeOf(mimir, secret)))
})

test('an administrator at the command line resets the factors of somebody who lost them', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  await setUpTotp(mimir, alice)
  const reset = await mimir.command('user.reset-mfa', { user: 'alice' })
  assert.equal(reset.totp, true)
  assertRefused(await alice.rest.get('/api/me'), 401, 'unauthorized')
  assertDone(await tryPassword(mimir, alice))
  await assert.rejects(mimir.command('user.reset-mfa', { user: 'nobody' }), {
    code: 'user_not_found',
  })
})
