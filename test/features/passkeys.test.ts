import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Authenticator } from '../harness/authenticator.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { setUpTotp, tryPassword } from '../harness/factors.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

/** The appliance's default public URL. */
const ORIGIN = 'http://localhost:8080'
const MINUTE = 60_000

/** Adds a passkey to an account; returns it with the response. */
async function addPasskey(person: Person, authenticator = new Authenticator(ORIGIN)) {
  const options = assertDone(await person.rest.get('/api/me/passkeys/options'))
  const passkey = authenticator.create(options)
  const added = await person.rest.post('/api/me/passkeys', { name: 'a key', passkey })
  return { authenticator, options, passkey, ...assertDone(added, 201) }
}

async function optionsFor(mimir: Appliance) {
  return assertDone(await mimir.rest().post('/api/auth/passkey/options'))
}

const signIn = (mimir: Appliance, passkey: object) =>
  mimir.rest().post('/api/auth/passkey', { passkey })

test('a passkey signs in without a password, and is both factors', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { authenticator, recoveryCodes } = await addPasskey(alice)
  assert.equal(recoveryCodes.length, 10)
  const pair = assertDone(await signIn(mimir, authenticator.get(await optionsFor(mimir))))
  const rest = mimir.rest(pair.accessToken)
  assert.equal(assertDone(await rest.get('/api/me')).id, alice.id)
  // Signing in by passkey counts as recent proof, even for irreversible changes.
  assertDone(await rest.post('/api/me/recovery-codes'))
  const { passkeys } = assertDone(await rest.get('/api/me/second-factors'))
  assert.equal(passkeys[0].name, 'a key')
  assert.ok(passkeys[0].lastUsedAt)
})

test('it is the second step after a password', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { authenticator } = await addPasskey(alice)
  const asked = await tryPassword(mimir, alice)
  assertRefused(asked, 401, 'mfa_required')
  assert.deepEqual(asked.body.methods, ['passkey', 'recovery'])
  const { challenge } = asked.body
  const rest = mimir.rest()
  const options = assertDone(await rest.post('/api/auth/second-factor/options', { challenge }))
  // After the password, the authenticator need not verify the user again.
  const passkey = authenticator.get(options, { unverified: true })
  assertDone(await rest.post('/api/auth/second-factor', { challenge, passkey }))
})

test('it is the proof for what cannot be undone', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { authenticator, id } = await addPasskey(alice)
  mimir.clock.advance(15 * MINUTE + 1000)
  const { refreshToken } = alice
  const { accessToken } = assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken }))
  const rest = mimir.rest(accessToken)
  assertRefused(await rest.delete(`/api/me/passkeys/${id}`), 401, 'step_up_required')
  const options = assertDone(await rest.get('/api/me/step-up/options'))
  const passkey = authenticator.get(options)
  assertDone(await rest.post('/api/me/step-up', { passkey }), 204)
  assertRefused(await rest.post('/api/me/step-up', { passkey }), 401, 'invalid_second_factor')
  assertDone(await rest.delete(`/api/me/passkeys/${id}`), 204)
  assertDone(await tryPassword(mimir, alice))
})

test('an answer counts once, for its own question, page and time', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { authenticator } = await addPasskey(alice)
  const refused = async (what: string, passkey: object) => {
    const reply = await signIn(mimir, passkey)
    assert.equal(reply.body.error, 'invalid_second_factor', `${what} ${JSON.stringify(reply.body)}`)
  }
  const used = authenticator.get(await optionsFor(mimir))
  assertDone(await signIn(mimir, used))
  await refused('a second time', used)
  const ask = () => optionsFor(mimir)
  await refused('another page', authenticator.get(await ask(), { origin: 'https://evil.example' }))
  await refused('another server', authenticator.get(await ask(), { rpId: 'evil.example' }))
  await refused('nobody verified', authenticator.get(await ask(), { unverified: true }))
  await refused('a counter that fell', authenticator.get(await ask(), { counter: 1 }))
  authenticator.counter = 10
  await refused('a made-up question', authenticator.get({ ...(await ask()), challenge: 'x' }))
  const late = await ask()
  mimir.clock.advance(5 * MINUTE + 1000)
  await refused('too late', authenticator.get(late))
  await refused('an unknown passkey', new Authenticator(ORIGIN).get(await ask()))
  const good = authenticator.get(await ask())
  const { signature } = new Authenticator(ORIGIN).get(await ask()).response
  await refused('another signature', { ...good, response: { ...good.response, signature } })
  assertDone(await signIn(mimir, authenticator.get(await ask())))
})

test('a question asked for one thing is no answer to another, nor for somebody else', async () => {
  await using mimir = await boot()
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  const { authenticator } = await addPasskey(alice)
  const theirs = (await addPasskey(bob)).authenticator
  const { challenge } = (await tryPassword(mimir, alice)).body
  const rest = mimir.rest()
  const second = (passkey: object) => rest.post('/api/auth/second-factor', { challenge, passkey })
  const forSignIn = await optionsFor(mimir)
  assertRefused(await second(authenticator.get(forSignIn)), 401, 'invalid_second_factor')
  const forSecond = assertDone(await rest.post('/api/auth/second-factor/options', { challenge }))
  assertRefused(await second(theirs.get(forSecond)), 401, 'invalid_second_factor')
  assertRefused(await signIn(mimir, authenticator.get(forSecond)), 401, 'invalid_second_factor')
  assertDone(await second(authenticator.get(forSecond)))
})

test('a passkey is added once, for the account that asked', async () => {
  await using mimir = await boot()
  const [alice, bob] = [await mimir.person('alice'), await mimir.person('bob')]
  const { authenticator, passkey } = await addPasskey(alice)
  const again = await alice.rest.post('/api/me/passkeys', { name: 'again', passkey })
  assertRefused(again, 400, 'invalid_passkey')
  // The same authenticator for another account.
  const options = assertDone(await bob.rest.get('/api/me/passkeys/options'))
  const same = authenticator.create(options)
  assertRefused(
    await bob.rest.post('/api/me/passkeys', { name: 'same', passkey: same }),
    400,
    'invalid_passkey',
  )
  // Options that were issued to somebody else.
  const asked = assertDone(await bob.rest.get('/api/me/passkeys/options'))
  const stolen = new Authenticator(ORIGIN).create(asked)
  assertRefused(
    await alice.rest.post('/api/me/passkeys', { name: 'stolen', passkey: stolen }),
    400,
    'invalid_passkey',
  )
  const foreign = new Authenticator('https://evil.example').create(
    assertDone(await bob.rest.get('/api/me/passkeys/options')),
  )
  assertRefused(
    await bob.rest.post('/api/me/passkeys', { name: 'foreign', passkey: foreign }),
    400,
    'invalid_passkey',
  )
})

test('a suspended person signs in by no passkey, and where passwords are off nobody does', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const { authenticator } = await addPasskey(alice)
  await mimir.command('user.suspend', { user: 'alice' })
  const suspended = await signIn(mimir, authenticator.get(await optionsFor(mimir)))
  assertRefused(suspended, 403, 'account_not_active')
})

test('what is not offered is not set up', async () => {
  await using mimir = await boot({ env: { MIMIR_MFA_METHODS: 'totp' } })
  const alice = await mimir.person('alice')
  assertRefused(await alice.rest.get('/api/me/passkeys/options'), 409, 'method_not_offered')
  await using other = await boot({ env: { MIMIR_MFA_METHODS: 'passkey' } })
  const bob = await other.person('bob')
  assertRefused(await bob.rest.post('/api/me/totp'), 409, 'method_not_offered')
})

test('of two removals at once, the factor that the role needs stays', async () => {
  await using mimir = await boot({ env: { MIMIR_MFA_REQUIRED_ROLES: 'guest' } })
  const alice = await mimir.person('alice')
  await setUpTotp(mimir, alice)
  const { id } = await addPasskey(alice)
  await mimir.command('user.set-role', { user: 'alice', role: 'guest' })
  const removals = ['/api/me/totp', `/api/me/passkeys/${id}`].map((path) => alice.rest.delete(path))
  const replies = (await Promise.all(removals)).sort((a, b) => a.status - b.status)
  assert.deepEqual(
    replies.map(({ status, body }) => [status, body?.error]),
    [
      [204, undefined],
      [409, 'second_factor_required'],
    ],
  )
})

test('of two first factors added at once, one brings recovery codes, and those count', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const make = async () => {
    const options = assertDone(await alice.rest.get('/api/me/passkeys/options'))
    return { name: 'a key', passkey: new Authenticator(ORIGIN).create(options) }
  }
  const made = await Promise.all([make(), make(), make()])
  const added = await Promise.all(made.map((body) => alice.rest.post('/api/me/passkeys', body)))
  const codes = added.map((reply) => assertDone(reply, 201).recoveryCodes as string[])
  const [shown, ...more] = codes.filter(({ length }) => length > 0)
  assert.deepEqual(more, [])
  assertDone(await alice.rest.post('/api/me/step-up', { code: shown?.[0] }), 204)
})
