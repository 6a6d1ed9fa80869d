import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const OFF = { urls: [], username: '', credential: '', expiresAt: 0 }

const credentials = async (person: Person) =>
  assertDone(await person.rest.get('/api/call/turn-credentials'))

function assertSigned(answer: { username: string; credential: string }, secret: string): void {
  const expected = createHmac('sha1', secret).update(answer.username).digest('base64')
  assert.equal(answer.credential, expected)
}

function assertAnHour(mimir: Appliance, expiresAt: number): void {
  const left = expiresAt - mimir.clock.now() / 1000
  assert.ok(left > 3590 && left <= 3600, `good for ${left} s`)
}

test('credentials are those that coturn computes of the same secret, for an hour', async () => {
  const env = { TURN_HOST: 'turn.example.org', TURN_SECRET: 'shared with coturn' }
  await using mimir = await boot({ env })
  const ann = await mimir.person('ann')
  const answer = await credentials(ann)

  assert.deepEqual(answer.urls, [
    'stun:turn.example.org:3478',
    'turn:turn.example.org:3478?transport=udp',
    'turn:turn.example.org:3478?transport=tcp',
    'turns:turn.example.org:5349?transport=tcp',
  ])
  assert.equal(answer.username, `${answer.expiresAt}:${ann.id}`)
  assertSigned(answer, env.TURN_SECRET)
  assertAnHour(mimir, answer.expiresAt)
  mimir.clock.advance(60_000)
  assertAnHour(mimir, (await credentials(ann)).expiresAt)
})

test('without a TURN server, or without its secret, there are none', async () => {
  for (const env of [{}, { TURN_HOST: 'turn.example.org' }, { TURN_SECRET: 'a secret' }]) {
    await using mimir = await boot({ env })
    assert.deepEqual(await credentials(await mimir.person('ann')), OFF)
  }
})

test('the secret that the server makes is the one that it signs with', async () => {
  await using mimir = await boot({ env: { TURN_HOST: 'turn.example.org' } })
  const ann = await mimir.person('ann')
  const { secret } = await mimir.command('turn.secret')
  assertSigned(await credentials(ann), secret)

  const rotated = await mimir.command('turn.secret', { rotate: true })
  assert.notEqual(rotated.secret, secret)
  assertSigned(await credentials(ann), rotated.secret)
  const { config } = await mimir.command('turn.config')
  for (const each of [secret, rotated.secret]) {
    assert.ok(config.includes(`static-auth-secret=${each}\n`), 'coturn has to take both')
  }
})

test('credentials are for people who are signed in', async () => {
  await using mimir = await boot({ env: { TURN_HOST: 'h', TURN_SECRET: 's' } })
  assertRefused(await mimir.rest().get('/api/call/turn-credentials'), 401, 'unauthorized')
})
