import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { HANDSHAKE, invocation, RawHub } from '../harness/raw-hub.ts'
import { assertDone } from '../harness/rest.ts'

/** One masked text frame of fewer than 126 bytes (RFC 6455 §5.2), with a mask of zeros. */
function masked(text: string): Buffer {
  const body = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body])
}

/** A device whose network is lost after the hub handshake: it neither reads nor sends. */
async function goDeaf(mimir: Appliance, person: Person): Promise<Socket> {
  const { hostname, port } = new URL(mimir.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.write(
    `GET /hubs/dm?access_token=${person.accessToken} HTTP/1.1\r\nHost: x\r\n` +
      'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  await new Promise((resolve) => socket.once('data', resolve))
  socket.pause()
  socket.write(masked(HANDSHAKE))
  return socket
}

test('a half-open connection is let go, and friends see that the person is gone', async () => {
  await using mimir = await boot({ hubLimits: { silenceMs: 300, keepAliveMs: 50, sweepMs: 10 } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const device = await alice.connect()
  // The official client pings every 15 s; the others should be quicker here.
  device.connection.keepAliveIntervalInMilliseconds = 50
  await device.invoke('MarkConversationRead', dm)

  const gone = await goDeaf(mimir, bob)
  await device.event('PresenceChanged', ({ userId, online }) => userId === bob.id && online)
  const left = await device.event('PresenceChanged', ({ online }) => !online)

  assert.equal(left.userId, bob.id)
  assert.match(left.lastSeenAt, /Z$/)
  await device.invoke('SendMessage', dm, 'are you there?')
  assert.equal(device.closed, false)
  gone.destroy()
})

test('one that never reads is cut off, while a group of 200 is flooded and everybody else hears all', async () => {
  const unreadBytes = 256 * 1024
  await using mimir = await boot({
    env: { MIMIR_GROUP_MAX_MEMBERS: '200' },
    hubLimits: { unreadBytes },
  })
  const [owner, deaf] = await mimir.friends('owner', 'deaf')
  const members: Person[] = []
  for (let n = 0; n < 198; n++) {
    const member = await mimir.person(`member${n}`)
    await owner.befriend(member)
    members.push(member)
  }
  const group = await owner.group('everybody', deaf, ...members)
  const readers = await Promise.all(members.slice(0, 20).map((member) => member.connect()))
  const sender = await owner.connect()
  const socket = await goDeaf(mimir, deaf)
  await sender.event('PresenceChanged', ({ userId, online }) => userId === deaf.id && online)

  // Far more than the kernel buffers for a socket that nobody reads.
  const content = '字'.repeat(4000)
  let sent = 0
  const isCut = () => sender.all('PresenceChanged').some(({ online }) => !online)
  while (!isCut()) {
    assert.ok(sent < 3000, 'the deaf one is still connected')
    await Promise.all(
      Array.from({ length: 20 }, () => sender.invoke('SendMessage', group, content)),
    )
    sent += 20
  }

  for (const reader of readers) {
    const heard = () => reader.all('MessageReceived').length
    await eventually(() => heard() === sent, `somebody heard ${heard()} of ${sent}`)
    assert.equal(reader.closed, false)
  }
  socket.destroy()
})

test('sockets that never shake hands are let go, unseen by others, who go on', async () => {
  await using mimir = await boot({ hubLimits: { handshakeMs: 200, sweepMs: 10 } })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const device = await alice.connect()
  // More than the limit per person: connections without a handshake do not count.
  const silent = await Promise.all(
    Array.from({ length: 80 }, () => new RawHub(mimir.url, bob.accessToken).open()),
  )
  const sent = await device.invoke('SendMessage', dm, 'meanwhile')
  const phone = await bob.connect()
  assert.deepEqual(assertDone(await bob.rest.get(`/api/messages/${dm}`)), [sent])

  await eventually(() => silent.every(({ closed }) => closed), 'a silent socket is still there')

  await phone.invoke('SendMessage', dm, 'here I am')
  await device.event('MessageReceived', ({ senderId }) => senderId === bob.id)
  const changes = device.all('PresenceChanged').map(({ online }) => online)
  assert.deepEqual(changes, [true])
})

test('10,000 messages in one frame are all stored once, and others are served in between', async () => {
  await using mimir = await boot()
  const [mal, alice, bob] = await mimir.friends('mal', 'alice', 'bob')
  const flooded = await mal.dm(alice)
  const dm = await alice.dm(bob)
  const device = await alice.connect()
  using raw = await new RawHub(mimir.url, mal.accessToken).greet()
  let frame = ''
  for (let n = 0; n < 10_000; n++) frame += invocation(undefined, 'SendMessage', flooded, `${n}`)
  raw.socket.send(frame)
  await device.event('MessageReceived')

  const sent = await device.invoke('SendMessage', dm, 'in between')
  const history = assertDone(await bob.rest.get(`/api/messages/${dm}`))
  assert.deepEqual(history, [sent])
  const heard = () => device.all('MessageReceived').filter((one) => one.senderId === mal.id)
  assert.ok(heard().length < 10_000, 'the flood was over before anybody else had a turn')

  await eventually(() => heard().length === 10_000, 'not all were told')
  const contents = heard().map((message) => Number(message.content))
  assert.deepEqual(
    contents,
    Array.from({ length: 10_000 }, (_, n) => n),
  )
  const { length } = await mimir.app.ctx.db.read
    .selectFrom('messages')
    .select('id')
    .where('conversation_id', '=', flooded)
    .execute()
  assert.equal(length, 10_000)
})
