import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { codeOf, setUpTotp } from '../harness/factors.ts'
import { assertDone, assertRefused, type Reply } from '../harness/rest.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** A person with an authenticator app and an attacker who knows the password, each at their own address. */
async function withGuesser() {
  const mimir = await boot({
    env: { MIMIR_TRUSTED_PROXIES: '127.0.0.1', MIMIR_RATE_LIMITS: 'off' },
  })
  const alice = await mimir.person('alice')
  const { secret, recoveryCodes } = await setUpTotp(mimir, alice)
  mimir.clock.advance(30 * SECOND)
  const tryAt = async (address: string, code: string) => {
    const rest = mimir.rest().with({ 'x-forwarded-for': address })
    const login = { usernameOrEmail: alice.name, password: alice.password }
    const { challenge } = (await rest.post('/api/auth/login', login)).body
    return rest.post('/api/auth/second-factor', { challenge, code })
  }
  const guessAt = async (address: string, times = 5) => {
    for (let attempt = 0; attempt < times; attempt++) {
      assertRefused(await tryAt(address, '000000'), 401, 'invalid_second_factor')
    }
  }
  const waitAt = async (address: string) => {
    const refused = await tryAt(address, codeOf(mimir, secret))
    assertRefused(refused, 429, 'rate_limited')
    return Number(refused.headers.get('retry-after'))
  }
  const right = () => codeOf(mimir, secret)
  return { mimir, alice, recoveryCodes, tryAt, guessAt, waitAt, right }
}

const [GUESSER, OWNER] = ['192.0.2.7', '198.51.100.9']

test('after five wrong codes an address can guess no more for a while, by whatever challenge, and then for longer', async () => {
  const { mimir, tryAt, guessAt, waitAt, right } = await withGuesser()
  await using _mimir = mimir
  await guessAt(GUESSER)
  assert.equal(await waitAt(GUESSER), 900)
  mimir.clock.advance(15 * MINUTE)
  await guessAt(GUESSER)
  assert.equal(await waitAt(GUESSER), 1800)
  mimir.clock.advance(30 * MINUTE)
  assertDone(await tryAt(GUESSER, right()))
  // A correct code clears the failures of its own address only.
  mimir.clock.advance(30 * SECOND)
  await guessAt(GUESSER)
  assert.equal(await waitAt(GUESSER), 900)
  mimir.clock.advance(24 * 60 * MINUTE)
  await guessAt(GUESSER)
  assert.equal(await waitAt(GUESSER), 900)
})

test('who has the password alone shuts the owner out neither elsewhere nor with a recovery code', async () => {
  const { mimir, recoveryCodes, tryAt, guessAt, waitAt, right } = await withGuesser()
  await using _mimir = mimir
  await guessAt(GUESSER)
  assertDone(await tryAt(OWNER, right()))
  // Recovery codes cannot be guessed and work even at the blocked address.
  assert.equal(await waitAt(GUESSER), 900)
  assertDone(await tryAt(GUESSER, recoveryCodes[0] as string))
  // Wrong recovery codes do not count.
  mimir.clock.advance(30 * SECOND)
  for (let attempt = 0; attempt < 6; attempt++) {
    const wrong = await tryAt(OWNER, '0000-0000-0000-0000-0000-0000')
    assertRefused(wrong, 401, 'invalid_second_factor')
  }
  assertDone(await tryAt(OWNER, right()))
})

test('nobody guesses on from ever new addresses', async () => {
  const { mimir, recoveryCodes, tryAt, guessAt, waitAt } = await withGuesser()
  await using _mimir = mimir
  for (let one = 0; one < 20; one++) await guessAt(`192.0.2.${one}`)
  assert.equal(await waitAt('192.0.2.200'), 24 * 60 * 60)
  assertDone(await tryAt(OWNER, recoveryCodes[0] as string))
  mimir.clock.advance(30 * SECOND)
  // A successful sign-in does not reset the count over all addresses, which only expires.
  assert.equal(await waitAt('192.0.2.201'), 24 * 60 * 60 - 30)
  mimir.clock.advance(24 * 60 * MINUTE)
  await guessAt('192.0.2.201', 1)
})

/** Counts the replies by error code; `done` counts those without a refusal. */
function tally(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status, body } of replies) {
    const outcome = status < 300 ? 'done' : body.error
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

const wrongCode = (number: number) => String(100_000 + number)

test('of many wrong codes at the same moment five of an address are judged', async () => {
  const { mimir, alice, tryAt, right } = await withGuesser()
  await using _mimir = mimir
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, number) => tryAt(GUESSER, wrongCode(number))),
  )
  assert.deepEqual(tally(replies), { invalid_second_factor: 5, rate_limited: 35 })
  // The same when a session steps up.
  const rest = alice.rest.with({ 'x-forwarded-for': OWNER })
  const stepUps = await Promise.all(
    Array.from({ length: 40 }, (_, number) =>
      rest.post('/api/me/step-up', { code: wrongCode(number) }),
    ),
  )
  assert.deepEqual(tally(stepUps), { invalid_second_factor: 5, rate_limited: 35 })
  assertDone(await tryAt('198.51.100.10', right()))
})

test('of many wrong codes at the same moment a hundred of all addresses are judged', async () => {
  const { mimir, tryAt } = await withGuesser()
  await using _mimir = mimir
  const replies = await Promise.all(
    Array.from({ length: 130 }, (_, number) => tryAt(`192.0.2.${number}`, wrongCode(number))),
  )
  assert.deepEqual(tally(replies), { invalid_second_factor: 100, rate_limited: 30 })
})

test('a guesser with a network of version 6 is one address', async () => {
  const { mimir, tryAt, waitAt } = await withGuesser()
  await using _mimir = mimir
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, number) => tryAt(`2001:db8:7:7::${number}`, wrongCode(number))),
  )
  assert.deepEqual(tally(replies), { invalid_second_factor: 5, rate_limited: 15 })
  assert.equal(await waitAt('2001:db8:7:7:ffff::1'), 900)
})

test('a right code among wrong ones gets in, and is not counted itself', async () => {
  const { mimir, tryAt, guessAt, waitAt, right } = await withGuesser()
  await using _mimir = mimir
  // Every fifth try is correct, repeatedly.
  for (let round = 0; round < 3; round++) {
    await guessAt(OWNER, 4)
    assertDone(await tryAt(OWNER, right()))
    mimir.clock.advance(30 * SECOND)
  }
  await guessAt(OWNER, 5)
  assert.equal(await waitAt(OWNER), 900)
})

test('of many wrong codes for a new authenticator app five are judged', async () => {
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: 'off' } })
  const alice = await mimir.person('alice')
  assertDone(await alice.rest.post('/api/me/totp'))
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, number) =>
      alice.rest.post('/api/me/totp/confirm', { code: wrongCode(number) }),
    ),
  )
  assert.deepEqual(tally(replies), { invalid_second_factor: 5, rate_limited: 15 })
})

test('the same where a sign-in sets the app up', async () => {
  const env = { MIMIR_RATE_LIMITS: 'off', MIMIR_MFA_REQUIRED_ROLES: 'member' }
  await using mimir = await boot({ env })
  const { challenge } = await newcomer(mimir)
  const post = (path: string, body: object) => mimir.rest().post(path, { challenge, ...body })
  assertDone(await post('/api/auth/second-factor/set-up', {}))
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, number) =>
      post('/api/auth/second-factor', { code: wrongCode(number) }),
    ),
  )
  assert.deepEqual(tally(replies), { invalid_second_factor: 5, rate_limited: 15 })
})

/** A half signed-in person whose role needs a second factor that they do not have. */
async function newcomer(mimir: Appliance): Promise<{ challenge: string }> {
  const { token } = await mimir.command('invite.create')
  const password = 'the password of alice'
  const account = { username: 'alice', email: 'alice@example.org', password }
  assertDone(await mimir.rest().post('/api/auth/register', { invitationToken: token, ...account }))
  await mimir.command('user.approve', { user: 'alice' })
  const login = { usernameOrEmail: 'alice', password }
  const { body } = await mimir.rest().post('/api/auth/login', login)
  return body
}

test('passwords are counted wherever a session shows one', async () => {
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: 'off' } })
  const alice = await mimir.person('alice')
  const wrong = 'not the password'
  const asks: [string, string, object][] = [
    ['POST', '/api/me/step-up', { password: wrong }],
    [
      'POST',
      '/api/auth/change-password',
      { currentPassword: wrong, newPassword: 'a new password' },
    ],
    ['PUT', '/api/me/email', { currentPassword: wrong, email: 'new@example.org' }],
    ['POST', '/api/privacy/export', { currentPassword: wrong }],
    ['POST', '/api/privacy/erasure', { currentPassword: wrong }],
  ]
  for (const [method, path, body] of asks) {
    const { rest } = await alice.signedInAnew()
    const replies = await Promise.all(
      Array.from({ length: 12 }, () => rest.send(method, path, JSON.stringify(body))),
    )
    const { rate_limited: refused, ...judged } = tally(replies)
    const code = path === '/api/me/step-up' ? 'invalid_second_factor' : 'current_password_incorrect'
    assert.deepEqual([refused, judged], [7, { [code]: 5 }], path)
    // Each further five failures double the wait.
    mimir.clock.advance(4 * 60 * MINUTE)
  }
})

test('a right password is not counted', async () => {
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: 'off' } })
  const alice = await mimir.person('alice')
  for (let round = 0; round < 12; round++) {
    assertDone(await alice.rest.post('/api/me/step-up', { password: alice.password }), 204)
  }
})

test('right passwords at the same moment are all right', async () => {
  await using mimir = await boot({ env: { MIMIR_RATE_LIMITS: 'off' } })
  const alice = await mimir.person('alice')
  const proof = { password: alice.password }
  const stepUp = () => alice.rest.post('/api/me/step-up', proof)
  const replies = await Promise.all([stepUp(), stepUp(), stepUp(), stepUp()])
  for (const reply of replies) assertDone(reply, 204)
})
