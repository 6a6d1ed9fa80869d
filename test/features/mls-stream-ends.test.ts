import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { DAY } from '../../src/platform/clock.ts'
import type { UserActor } from '../../src/policy/actor.ts'
import { loadFrames } from '../../src/xrpc/frames.ts'
import { createSessions } from '../../src/xrpc/sessions.ts'
import { FrameSocket } from '../../src/xrpc/socket.ts'
import { DEFAULT_STREAM_LIMITS, type OpenStream } from '../../src/xrpc/stream.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { TestClock } from '../harness/clock.ts'
import { eventually } from '../harness/eventually.ts'
import { Issuer } from '../harness/issuer.ts'
import { byKey } from '../harness/keys.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { PATH, Stream, urlOf } from '../harness/mls-stream.ts'
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

test('a clock that steps back hides no event and makes no cursor one of the future', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const { cursor: place } = assertDone(await bob.rest.get('/api/sync'))
  const stream = await byTicket(mimir, bob.rest)
  const convoId = await a.createConvo(b.did)
  await stream.event('#welcomeEvent')
  await b.join(convoId)
  mimir.clock.advance(-1500)
  await a.send(convoId, 'one')
  await stream.event('#messageEvent', ({ message }) => message.seq === 1)
  const { cursor } = stream
  await a.send(convoId, 'two')
  mimir.clock.advance(-1500)
  await a.send(convoId, 'three')
  const { ticket } = assertDone(await bob.rest.get(TICKET))
  const back = new Stream(urlOf(mimir, { ticket, cursor: cursor as string }))
  await back.event('#messageEvent', ({ message }) => message.seq === 3)
  const seqs = back.heard.flatMap(({ body }) => body.message?.seq ?? [])
  assert.deepEqual(seqs, [2, 3])
  // Hub clients that were away get the same.
  const { events } = assertDone(await bob.rest.get(`/api/sync?cursor=${place}`))
  const apps = events.filter(({ data }: { data: { kind: string } }) => data.kind === 'app')
  assert.equal(apps.length, 3)
  // A removed member hears nothing of what follows, whatever the clock says.
  mimir.clock.advance(3000)
  assert.equal((await a.remove(convoId, b.did)).status, 200)
  await back.event('#membershipEvent', ({ action }) => action === 'removed')
  mimir.clock.advance(-3000)
  await a.send(convoId, 'not for bob')
  const other = await a.createConvo(b.did)
  await back.event('#welcomeEvent', (body) => body.convoId === other)
  assert.ok(!back.heard.some(({ body }) => body.message?.seq > 4))
  for (const one of [stream, back]) one.close()
})

test('who takes server-sent events too slowly is told so too', async () => {
  await using mimir = await boot({ streamLimits: { patienceMs: 100 } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  const { hostname, port, pathname } = new URL(`${mimir.url}${PATH}`)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (part) => {
    text += part
  })
  const closed = once(socket, 'close')
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\nauthorization: Bearer ${bob.accessToken}\r\n\r\n`,
  )
  await eventually(() => text.includes(': connected'), 'the stream did not open')
  socket.pause()
  const bucket = 1024 * 1024
  const long = 'x'.repeat(bucket / 2)
  const { eventStreams } = mimir.app.ctx.metrics
  for (let sent = 0; eventStreams() > 0 && sent < 40; sent++) await a.send(convoId, long, bucket)
  await eventually(() => eventStreams() === 0, 'the reader is still waited for')
  socket.resume()
  await closed
  assert.match(text, /event: error\ndata: \{"error":"ConsumerTooSlow"/)
})

test('a stream whose reader goes while it begins is not left open', async () => {
  const sessions = createSessions({ clock: new TestClock() }, DEFAULT_STREAM_LIMITS)
  const actor = { kind: 'user', userId: 'alice' } as UserActor
  const endless = () => new Promise<never>(() => {})
  const stream = { sessions, actor, options: { checkAnswers: true, stillActive: endless } }
  const socket = new FrameSocket(stream as unknown as OpenStream)
  const ignore = () => {}
  const gone = { send: ignore, bufferedBytes: () => 0, close: ignore, terminate: ignore }
  socket.opened(gone)
  socket.closed()
  await loadFrames()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(sessions.count(), 0)
  await sessions.close()
})
