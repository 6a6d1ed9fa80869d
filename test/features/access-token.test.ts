import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { MINUTE, SECOND } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const JWT_KEY = 'thirty-two characters, at the least'
const KEY = new TextEncoder().encode(JWT_KEY)

const me = (mimir: Appliance, token: string) => mimir.rest(token).get('/api/me')

interface Changes {
  readonly header?: object
  readonly claims?: object
  readonly key?: Parameters<SignJWT['sign']>[0]
}

/** A token like the server's own, apart from the changes. */
function forge(userId: string, { header = {}, claims = {}, key = KEY }: Changes = {}) {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({
    sub: userId,
    email: 'ann@example.org',
    username: 'ann',
    jti: '01890000-0000-7000-8000-000000000000',
    iss: 'mimir-api',
    aud: 'mimir-mobile',
    nbf: now,
    exp: now + 900,
    ...claims,
  })
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(key)
}

test('an access token has the claims of the contract, and what issued it is no address', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { alg, typ, kid } = decodeProtectedHeader(ann.accessToken)
  const { jti, nbf, exp, iat, sid, ...claims } = decodeJwt(ann.accessToken)

  assert.deepEqual([alg, typ], ['HS256', 'JWT'])
  const keys = await mimir.command('key.list')
  const current = keys.find(
    (key: { purpose: string; current: boolean }) => key.purpose === 'jwt' && key.current,
  )
  assert.equal(kid, current.id)
  assert.deepEqual(claims, {
    sub: ann.id,
    email: 'ann@example.org',
    username: 'ann',
    iss: 'mimir-api',
    aud: 'mimir-mobile',
  })
  assert.equal(Number(exp) - Number(nbf), 900)
  assert.equal(iat, nbf)
  assert.equal(typeof jti, 'string')
  assert.notEqual(decodeJwt((await ann.signIn()).accessToken).jti, jti)
  assert.equal(typeof sid, 'string')
})

test('only the token of an administrator says so, in a text', async () => {
  await using mimir = await boot()
  const ann = await mimir.admin('ann')
  assert.equal(decodeJwt(ann.accessToken).admin, undefined)
  const answer = await ann.signIn()

  assert.equal(decodeJwt(answer.accessToken).admin, 'true')
  assert.equal(answer.isAdmin, true)
})

test('the settings name issuer and audience, and others are refused', async () => {
  await using mimir = await boot({ env: { JWT_KEY, JWT_ISSUER: 'us', JWT_AUDIENCE: 'them' } })
  const ann = await mimir.person('ann')
  const { iss, aud } = decodeJwt(ann.accessToken)

  assert.deepEqual([iss, aud], ['us', 'them'])
  assertRefused(await me(mimir, await forge(ann.id)), 401, 'unauthorized')
  assertDone(await me(mimir, await forge(ann.id, { claims: { iss: 'us', aud: 'them' } })))
})

test('a token outlives a restart on another port', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  await mimir.restart()
  assertDone(await me(mimir, ann.accessToken))
})

test('a token is good 30 seconds past its end and before its beginning, and no longer', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  mimir.clock.advance(15 * MINUTE + 25 * SECOND)
  assertDone(await me(mimir, ann.accessToken))
  mimir.clock.advance(6 * SECOND)
  assertRefused(await me(mimir, ann.accessToken), 401, 'unauthorized')

  mimir.clock.advance(-15 * MINUTE - 31 * SECOND - 28 * SECOND)
  assertDone(await me(mimir, ann.accessToken))
  mimir.clock.advance(-5 * SECOND)
  assertRefused(await me(mimir, ann.accessToken), 401, 'unauthorized')
})

test('a token without the name of its key is tried with every key', async () => {
  await using mimir = await boot({ env: { JWT_KEY } })
  const ann = await mimir.person('ann')
  assertDone(await me(mimir, await forge(ann.id)))
  await mimir.command('key.rotate', { purpose: 'jwt' })
  assertDone(await me(mimir, await forge(ann.id)))
})

test('a token that is not signed by our key with HS256, or is not for us, is refused', async () => {
  await using mimir = await boot({ env: { JWT_KEY } })
  const ann = await mimir.person('ann')
  const now = Math.floor(Date.now() / 1000)
  const { privateKey } = await generateKeyPair('RS256')
  const { kid } = decodeProtectedHeader(ann.accessToken)
  const [head, body, signature] = ann.accessToken.split('.') as [string, string, string]
  const own = decodeJwt(ann.accessToken)
  const claims = Buffer.from(JSON.stringify({ ...own, admin: 'true' })).toString('base64url')
  const forged: Record<string, string> = {
    'alg none': new UnsecuredJWT(own).encode(),
    'no signature': `${head}.${body}.`,
    'changed claims': `${head}.${claims}.${signature}`,
    RS256: await forge(ann.id, { header: { alg: 'RS256', kid }, key: privateKey }),
    // HMAC pads keys with zero bytes, so to HMAC this is our key (RFC 2104 §2).
    'HS512 with our key': await forge(ann.id, {
      header: { alg: 'HS512', kid },
      key: new TextEncoder().encode(JWT_KEY.padEnd(64, '\0')),
    }),
    'another key': await forge(ann.id, { key: new TextEncoder().encode('x'.repeat(32)) }),
    'another key of our name': await forge(ann.id, {
      header: { kid },
      key: new TextEncoder().encode('x'.repeat(32)),
    }),
    'another audience': await forge(ann.id, { claims: { aud: 'others' } }),
    'another issuer': await forge(ann.id, { claims: { iss: 'others' } }),
    'past its end': await forge(ann.id, { claims: { exp: now - 31 } }),
    'before its beginning': await forge(ann.id, { claims: { nbf: now + 60 } }),
    'no end': await forge(ann.id, { claims: { exp: undefined } }),
    nobody: await forge(ann.id, { claims: { sub: undefined } }),
    'an unknown person': await forge('01890000-0000-7000-8000-000000000000'),
    'an unknown session': await forge(ann.id, {
      claims: { sid: '01890000-0000-7000-8000-000000000000' },
    }),
    'no token': 'x',
  }
  for (const [name, token] of Object.entries(forged)) {
    const reply = await me(mimir, token)
    assert.equal(reply.status, 401, `${name} was let in`)
    assertRefused(reply, 401, 'unauthorized')
    assert.equal(reply.headers.get('www-authenticate'), 'Bearer')
  }
  assertDone(await me(mimir, await forge(ann.id)))
})

test('the claim admin gives no right: the account decides', async () => {
  await using mimir = await boot({ env: { JWT_KEY } })
  const ann = await mimir.person('ann')
  const token = await forge(ann.id, { claims: { admin: 'true' } })
  const reply = await mimir.rest(token).get('/api/admin/users/pending')
  assertRefused(reply, 403, 'forbidden')
})

test('after a rotation old tokens are still good, until their key is retired', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const { kid } = decodeProtectedHeader(ann.accessToken)
  const { id } = await mimir.command('key.rotate', { purpose: 'jwt' })
  const fresh = await ann.signIn()

  assert.equal(decodeProtectedHeader(fresh.accessToken).kid, id)
  assertDone(await me(mimir, ann.accessToken))
  await mimir.restart()
  assertDone(await me(mimir, ann.accessToken))
  await assert.rejects(mimir.command('key.retire', { id }), { code: 'key_in_use' })
  await mimir.command('key.retire', { id: kid })
  assertRefused(await me(mimir, ann.accessToken), 401, 'unauthorized')
  assertDone(await me(mimir, fresh.accessToken))
})

test('a token counts in its header only, and only as Bearer', async () => {
  await using mimir = await boot()
  const ann = await mimir.person('ann')
  const rest = mimir.rest()
  const token = ann.accessToken

  const inQuery = await rest.get(`/api/me?access_token=${token}`)
  assertRefused(inQuery, 401, 'unauthorized')
  for (const authorization of ['', token, `Basic ${token}`, 'Bearer', `Bearer ${token} more`]) {
    assertRefused(await rest.with({ authorization }).get('/api/me'), 401, 'unauthorized')
  }
  assertDone(await rest.with({ authorization: `bearer ${token}` }).get('/api/me'))
})
