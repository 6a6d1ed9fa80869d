import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { PATH, Stream, urlOf, withTicket } from '../harness/mls-stream.ts'
import { assertDone } from '../harness/rest.ts'
import { assertRefusal } from '../harness/xrpc.ts'

const seqs = (stream: Stream) =>
  stream.heard.filter(({ type }) => type === '#messageEvent').map(({ body }) => body.message.seq)

test('a stream tells everything in order, from any cursor, nothing twice', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const stream = await withTicket(mimir, b)
  const hub = await bob.connect()
  const { cursor: place } = assertDone(await bob.rest.get('/api/sync'))
  const convoId = await a.createConvo(b.did)
  await stream.event('#membershipEvent', ({ did }) => did === b.did)
  await stream.event('#welcomeEvent', ({ deviceId }) => deviceId === b.id)
  await b.join(convoId)
  await a.send(convoId, 'one')
  const { body } = await stream.event('#messageEvent')
  assert.equal(body.message.seq, 1)
  assert.ok(body.message.ciphertext instanceof Uint8Array)
  const { messages } = assertDone(await b.xrpc.get('getMessages', { convoId }))
  assert.equal(
    Buffer.from(body.message.ciphertext).toString('base64').replace(/=+$/, ''),
    messages[0].ciphertext.$bytes,
  )
  await a.add(convoId)
  await a.send(convoId, 'three')
  await stream.event('#messageEvent', ({ message }) => message.seq === 3)
  assert.deepEqual(seqs(stream), [1, 2, 3])
  // The hub reports the same in its own format.
  const said = await hub.event('MlsEvent', ({ seq }) => seq === 3)
  assert.deepEqual(said, { convoId, seq: 3, kind: 'app' })
  assert.deepEqual(
    hub
      .all('MlsEvent')
      .map(({ kind, seq }) => `${kind} ${seq}`)
      .filter((one) => /app|commit/.test(one)),
    ['app 1', 'commit 2', 'app 3'],
  )

  const cursor = stream.heard.find(({ body }) => body.message?.seq === 1)?.body.cursor
  stream.close()
  for (let i = 0; i < 5; i++) await a.send(convoId, `while away ${i}`)
  const back = await withTicket(mimir, b, { cursor })
  await a.send(convoId, 'and live')
  await back.event('#messageEvent', ({ message }) => message.seq === 9)
  assert.deepEqual(seqs(back), [2, 3, 4, 5, 6, 7, 8, 9])
  // So does sync, for a hub client that was away.
  const { events } = assertDone(await bob.rest.get(`/api/sync?cursor=${place}`))
  const told = events
    .filter(({ type }: { type: string }) => type === 'MlsEvent')
    .map(({ data }: { data: { kind: string; seq: number } }) => `${data.kind} ${data.seq}`)
  assert.deepEqual(told.slice(0, 5), [
    'keyPackages 0',
    'joined 0',
    'joined 0',
    'welcome 0',
    'app 1',
  ])
  assert.equal(told.at(-1), 'app 9')
  back.close()
})

test('a stream of one conversation ends with the membership, and says why', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  const other = await a.createConvo(b.did)
  await b.join(convoId)
  const one = await withTicket(mimir, b, { convoId })
  const all = await withTicket(mimir, b)
  await a.send(convoId, 'hello')
  await one.event('#messageEvent')
  await all.event('#messageEvent')
  assert.equal((await a.remove(convoId, b.did)).status, 200)
  await one.event('#membershipEvent', ({ did, action }) => did === b.did && action === 'removed')
  await one.event('error', ({ error }) => error === 'MembershipEnded')
  await eventually(() => one.closed !== undefined, 'the stream stayed open')
  // The stream of all conversations goes on, without this one.
  await all.event('#membershipEvent', ({ action }) => action === 'removed')
  const ephemeral = await a.prepareMessage(convoId, 'typing')
  assertDone(await a.xrpc.post('sendMessage', { ...ephemeral.body, delivery: 'ephemeral' }))
  await a.send(convoId, 'not for bob')
  await a.send(other, 'for bob')
  await all.event('#messageEvent', ({ message }) => message.convoId === other)
  // After the end, at most the commit that ended it may arrive.
  const after = all.heard.filter(({ body }) => body.message?.convoId === convoId)
  assert.ok(after.every(({ body }) => body.message.seq < 3))
  assert.ok(!all.heard.some(({ type }) => type === '#ephemeralEvent'))
  all.close()
})

test('ephemeral messages are told and kept nowhere', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  const stream = await withTicket(mimir, b)
  const hub = await bob.connect()
  // A subscriber that has heard nothing yet may still be connecting.
  await a.send(convoId, 'are you there')
  await stream.event('#messageEvent')
  await hub.event('MlsEvent')
  const { body } = await a.prepareMessage(convoId, 'typing')
  const done = assertDone(await a.xrpc.post('sendMessage', { ...body, delivery: 'ephemeral' }))
  assert.equal(done.seq, 0)
  const told = await stream.event('#ephemeralEvent')
  assert.equal(
    Buffer.from(told.body.ciphertext).toString('base64'),
    Buffer.from(body.ciphertext.$bytes, 'base64').toString('base64'),
  )
  await hub.event('MlsEvent', ({ kind }) => kind === 'ephemeral')
  const { messages } = assertDone(await b.xrpc.get('getMessages', { convoId }))
  assert.equal(messages.length, 1)
  stream.close()
})

test('ephemeral messages do not pile up for a reader who does not read', async () => {
  await using mimir = await boot({ streamLimits: { waitingBytes: 64 * 1024, patienceMs: 600_000 } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  const stream = await withTicket(mimir, b)
  await a.send(convoId, 'one')
  await stream.event('#messageEvent')
  stream.pause()
  const bucket = 1024 * 1024
  const { body } = await a.prepareMessage(convoId, 'x', bucket)
  // Several times what the socket buffers of both sides hold.
  const sent = 40
  for (let i = 0; i < sent; i++) {
    assertDone(await a.xrpc.post('sendMessage', { ...body, delivery: 'ephemeral' }))
  }
  await a.send(convoId, 'two')
  stream.resume()
  await stream.event('#messageEvent', ({ message }) => message.seq === 2)
  // Told after everything that waited.
  await a.send(convoId, 'three')
  await stream.event('#messageEvent', ({ message }) => message.seq === 3)
  const told = stream.heard.filter(({ type }) => type === '#ephemeralEvent').length
  assert.ok(told > 0 && told < sent, `${told} of ${sent} were kept`)
  stream.close()
})

test('only the admins are told of a report, not the person it is about', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const a = await deviceOf(mimir, alice)
  const [b, c] = [await deviceOf(mimir, bob), await deviceOf(mimir, carol)]
  const convoId = await a.createConvo(b.did, c.did)
  const streams = [
    await withTicket(mimir, a),
    await withTicket(mimir, a, { convoId }),
    await withTicket(mimir, b),
    await withTicket(mimir, b, { convoId }),
  ]
  const hubs = [await alice.connect(), await bob.connect()]
  const { cursor } = assertDone(await alice.rest.get('/api/sync'))
  const report = { reportedDid: b.did, category: 'spam', encryptedContent: { $bytes: 'AAAA' } }
  assertDone(await c.xrpc.post('reportMember', { convoId, ...report }))
  await a.send(convoId, 'hello')
  for (const stream of streams) await stream.event('#messageEvent')
  for (const hub of hubs) await hub.event('MlsEvent', ({ kind }) => kind === 'app')
  const told = ({ heard }: Stream) =>
    heard.filter(({ type }) => type === '#changeEvent').map(({ body }) => [body.what, body.convoId])
  assert.deepEqual(streams.map(told), [[['report', convoId]], [['report', convoId]], [], []])
  const [alices, bobs] = hubs.map((hub) => hub.all('MlsEvent').map(({ kind }) => kind))
  assert.deepEqual([alices?.includes('report'), bobs?.includes('report')], [true, false])
  const { events } = assertDone(await alice.rest.get(`/api/sync?cursor=${cursor}`))
  const synced = events.filter(({ data }: { data: { kind: string } }) => data.kind === 'report')
  assert.deepEqual(
    synced.map(({ data }: { data: object }) => data),
    [{ convoId, seq: 0, kind: 'report' }],
  )
  for (const stream of streams) stream.close()
})

test('who reads too slowly is told so, and misses nothing on coming back', async () => {
  await using mimir = await boot({ streamLimits: { waitingBytes: 64 * 1024, patienceMs: 1000 } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  const stream = await withTicket(mimir, b, { convoId })
  await a.send(convoId, 'one')
  await stream.event('#messageEvent')
  stream.pause()
  // More than the socket buffers of both sides hold.
  const bucket = 1024 * 1024
  const long = 'x'.repeat(bucket / 2)
  const { eventStreams } = mimir.app.ctx.metrics
  let sent = 1
  for (; eventStreams() > 0 && sent < 40; sent++) await a.send(convoId, long, bucket)
  await eventually(() => eventStreams() === 0, 'the reader is still waited for')
  stream.resume()
  await stream.event('error', ({ error }) => error === 'ConsumerTooSlow')
  await eventually(() => stream.closed === 1000, 'the stream stayed open')

  const { cursor } = stream
  assert.ok(cursor)
  const heard = seqs(stream)
  const back = await withTicket(mimir, b, { convoId, cursor })
  await back.event('#messageEvent', ({ message }) => message.seq === sent)
  assert.deepEqual(
    [...heard, ...seqs(back)],
    Array.from({ length: sent }, (_, n) => n + 1),
  )
  back.close()
})

test('a ticket is good once, for its conversation, and not for long', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  const ask = (params: Record<string, string>) =>
    mimir.rest().probe(`${PATH}?${new URLSearchParams(params)}`)
  const ticket = async (params = {}) =>
    assertDone(await a.xrpc.get('getSubscriptionTicket', params)).ticket as string
  const first = await ticket()
  assert.equal((await ask({ ticket: first })).status, 200)
  assertRefusal(await ask({ ticket: first }), 401, 'InvalidTicket')
  const bound = await ticket({ convoId })
  assertRefusal(await ask({ ticket: bound }), 401, 'InvalidTicket')
  const late = await ticket()
  mimir.clock.advance(31_000)
  assertRefusal(await ask({ ticket: late }), 401, 'InvalidTicket')
  const stream = new Stream(urlOf(mimir, { ticket: late }))
  await eventually(() => stream.closed !== undefined, 'an outdated ticket opened a stream')
  // A suspension ends open streams and prevents new ones.
  const open = await withTicket(mimir, a)
  const unused = await ticket()
  await mimir.command('user.suspend', { user: 'alice' })
  await open.event('error', ({ error }) => error === 'AuthenticationRequired')
  await eventually(() => open.closed !== undefined, 'the stream stayed open')
  assertRefusal(await ask({ ticket: unused }), 401, 'AuthenticationRequired')
})

test('the same events come as server-sent events', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  const read = async (headers: Record<string, string>, until: RegExp) => {
    const stop = new AbortController()
    const response = await fetch(`${mimir.url}${PATH}?convoId=${convoId}`, {
      headers: { authorization: `Bearer ${bob.accessToken}`, ...headers },
      signal: stop.signal,
    })
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
    let text = ''
    const decoder = new TextDecoder()
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    while (!until.test(text)) {
      const { done, value } = await reader.read()
      if (done) break
      const isFirst = text === ''
      text += decoder.decode(value, { stream: true })
      if (isFirst && !headers['last-event-id']) {
        await a.send(convoId, 'one')
        await a.send(convoId, 'two')
      }
    }
    stop.abort()
    return text
  }
  const live = await read({}, /"seq":2[\s\S]*\n\n/)
  assert.match(live, /event: messageEvent\ndata: \{.*"seq":1/)
  const [id] = [...live.matchAll(/id: (\S+)\nevent: messageEvent/g)].map((match) => match[1])
  const again = await read({ 'last-event-id': id as string }, /"seq":2[\s\S]*\n\n/)
  assert.doesNotMatch(again, /"seq":1,/)
  assertRefusal(await b.xrpc.rest.probe(`${PATH}?cursor=nonsense`), 400, 'FutureCursor')
})

test('whoever was away for too long is told so, and goes on from what there is', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [a, b] = [await deviceOf(mimir, alice), await deviceOf(mimir, bob)]
  const convoId = await a.createConvo(b.did)
  const stream = await withTicket(mimir, b)
  await a.send(convoId, 'old')
  await stream.event('#messageEvent')
  const { cursor } = stream
  stream.close()
  await a.send(convoId, 'older than is kept')
  mimir.clock.advance(31 * 86_400_000)
  await mimir.app.jobs.runNow('prune-events')
  mimir.clock.advance(-31 * 86_400_000)
  const back = await withTicket(mimir, b, { cursor: cursor as string })
  await back.event('#infoEvent', ({ info }) => info === 'OutdatedCursor')
  await a.send(convoId, 'new')
  await back.event('#messageEvent', ({ message }) => message.seq === 3)
  back.close()
})
