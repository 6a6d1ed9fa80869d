import { test } from 'node:test'
import { DAY } from '../../src/platform/clock.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { Issuer } from '../harness/issuer.ts'
import { byKey } from '../harness/keys.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { Stream, urlOf } from '../harness/mls-stream.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, type Rest } from '../harness/rest.ts'
import { assertRefusal } from '../harness/xrpc.ts'

const TICKET = '/xrpc/blue.catbird.mls.getSubscriptionTicket'

async function ownKey(mimir: Appliance, person: Person, scopes: string[], expiresInDays = 1) {
  await mimir.command('user.set-role', { user: person.name, role: 'admin' })
  const input = { name: 'a program', scopes, expiresInDays }
  return assertDone(await person.rest.post('/api/keys', input), 201) as { id: string; key: string }
}

async function open(mimir: Appliance, headers: Record<string, string>): Promise<Stream> {
  const stream = new Stream(urlOf(mimir), headers)
  await stream.opened()
  return stream
}

async function byTicket(mimir: Appliance, rest: Rest): Promise<Stream> {
  const { ticket } = assertDone(await rest.get(TICKET))
  const stream = new Stream(urlOf(mimir, { ticket }))
  await stream.opened()
  return stream
}

test('a key that is revoked closes its streams, also those that it bought a ticket for', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const { id, key } = await ownKey(mimir, bob, ['mls:use'])
  const streams = [
    await byTicket(mimir, byKey(mimir, key)),
    await open(mimir, { 'x-api-key': key }),
  ]
  const own = await byTicket(mimir, bob.rest)
  const convoId = await a.createConvo(b.did)
  await a.send(convoId, 'one')
  for (const stream of [...streams, own]) await stream.event('#messageEvent')
  const unused = assertDone(await byKey(mimir, key).get(TICKET)).ticket
  await mimir.command('apikey.revoke', { id })
  for (const stream of streams) {
    await stream.event('error', ({ error }) => error === 'AuthenticationRequired')
    await eventually(() => stream.closed !== undefined, 'the stream stayed open')
  }
  const late = new Stream(urlOf(mimir, { ticket: unused }))
  await late.event('error', ({ error }) => error === 'AuthenticationRequired')
  await a.send(convoId, 'two')
  await own.event('#messageEvent', ({ message }) => message.seq === 2)
  own.close()
})

test('a stream ends when its credential does', async () => {
  await using mimir = await boot({ streamLimits: { sweepMs: 10 } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const { key } = await ownKey(mimir, bob, ['mls:use'])
  const streams = [
    await byTicket(mimir, byKey(mimir, key)),
    await open(mimir, { 'x-api-key': key }),
  ]
  await a.createConvo(b.did)
  for (const stream of streams) await stream.event('#welcomeEvent')
  mimir.clock.advance(2 * DAY)
  for (const stream of streams) {
    await stream.event('error', ({ error }) => error === 'ExpiredToken')
    await eventually(() => stream.closed !== undefined, 'the stream stayed open')
  }
})

test('what the clock has passed is told no more, whenever the next sweep is', async () => {
  await using mimir = await boot({ streamLimits: { sweepMs: 3_600_000 } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const { key } = await ownKey(mimir, bob, ['mls:use'])
  const alices = await ownKey(mimir, alice, ['mls:use'], 30)
  const stream = await byTicket(mimir, byKey(mimir, key))
  const convoId = await a.createConvo(b.did)
  await stream.event('#welcomeEvent')
  mimir.clock.advance(2 * DAY)
  const { body } = await a.prepareMessage(convoId, 'late')
  const path = '/xrpc/blue.catbird.mls.sendMessage'
  assertDone(await byKey(mimir, alices.key).post(path, body))
  await stream.event('error', ({ error }) => error === 'ExpiredToken')
})

test('what is good for single requests alone buys no ticket', async () => {
  await using issuer = await Issuer.start()
  await using mimir = await boot({
    env: { MIMIR_OAUTH_ISSUER: issuer.url, MIMIR_OAUTH_AUDIENCE: 'mimir-api' },
  })
  await mimir.friends('alice', 'bob')
  await mimir.command('subject.link', { user: 'bob', subject: 'bob@idp' })
  const token = await issuer.token(mimir.clock.now(), { sub: 'bob@idp' })
  assertDone(await mimir.rest(token).get('/xrpc/blue.catbird.mls.getConvos'))
  assertRefusal(await mimir.rest(token).get(TICKET), 401, 'AuthenticationRequired')
})
