import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY } from '../../src/platform/clock.ts'
import { download, PNG, rowsOf, upload, usageOf } from '../harness/attachments.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const NOTHING = { attachments: [], chunks: [], links: [] }

const picture = async (mimir: Appliance, who: Person): Promise<string> =>
  assertDone(await upload(mimir, who, PNG), 201).id

const setOwn = (who: Person, avatar: string | null) => who.rest.patch('/api/me', { avatar })

const setGroups = (who: Person, group: string, avatar: string | null) =>
  who.rest.put(`/api/conversations/${group}/settings`, { avatar })

const statusFor = async (mimir: Appliance, who: Person, id: string) =>
  (await download(mimir, who, id)).status

/** Runs the collection of unused attachments as of a day later. */
async function collect(mimir: Appliance): Promise<void> {
  mimir.clock.advance(DAY + 1000)
  await mimir.app.jobs.runNow('collect-attachments')
  mimir.clock.advance(-DAY - 1000)
}

test('an avatar and a display name are shown wherever the person is, and the picture is kept', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await bob.group('trio', alice, cleo)
  const dm = await bob.dm(alice)
  const avatar = await picture(mimir, alice)
  assert.ok(!('avatar' in assertDone(await alice.rest.get('/api/me'))))

  const me = assertDone(await alice.rest.patch('/api/me', { avatar, displayName: 'Alice A.' }))
  assert.deepEqual([me.avatar, me.displayName], [avatar, 'Alice A.'])
  await collect(mimir)
  assert.deepEqual(assertDone(await alice.rest.get('/api/me')), me)
  const friends = assertDone(await bob.rest.get('/api/friends'))
  const shown = friends.map(({ username, avatar, displayName }: Record<string, string>) => [
    username,
    avatar,
    displayName,
  ])
  assert.deepEqual(shown, [
    ['cleo', undefined, undefined],
    ['alice', avatar, 'Alice A.'],
  ])
  for (const id of [group, dm]) {
    const { members } = assertDone(await bob.rest.get(`/api/conversations/${id}`))
    const member = members.find(({ userId }: { userId: string }) => userId === alice.id)
    assert.deepEqual([member.avatar, member.displayName], [avatar, 'Alice A.'])
    const others = members.filter(({ userId }: { userId: string }) => userId !== alice.id)
    for (const other of others) assert.ok(!('avatar' in other) && !('displayName' in other))
  }
  const inbox = assertDone(await bob.rest.get('/api/conversations'))
  const entry = (id: string) => inbox.find((one: { id: string }) => one.id === id)
  assert.deepEqual([entry(dm).avatar, entry(dm).otherDisplayName], [avatar, 'Alice A.'])
  assert.ok(!('avatar' in entry(group)) && !('otherDisplayName' in entry(group)))
  assert.ok((await download(mimir, bob, avatar)).bytes.equals(PNG))
})

test('an own avatar is for friends and for who is in a conversation with the person, and nobody else', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [cleo, stranger] = [await mimir.person('cleo'), await mimir.person('stranger')]
  await bob.befriend(cleo)
  const group = await bob.group('trio', alice, cleo)
  const avatar = await picture(mimir, alice)
  assert.equal(await statusFor(mimir, bob, avatar), 404)
  assertDone(await setOwn(alice, avatar))

  for (const who of [alice, bob, cleo]) assert.equal(await statusFor(mimir, who, avatar), 200)
  assert.equal(await statusFor(mimir, stranger, avatar), 404)
  // Once they share no conversation, it is closed again.
  assertDone(await cleo.rest.delete(`/api/conversations/${group}/members/${cleo.id}`), 204)
  assert.equal(await statusFor(mimir, cleo, avatar), 404)
  assertDone(await bob.rest.delete(`/api/friends/${alice.id}`), 204)
  assert.equal(await statusFor(mimir, bob, avatar), 200, 'they are in the group still')
})

test('behind a block neither sees the other’s avatar nor display name', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const avatar = await picture(mimir, alice)
  assertDone(await alice.rest.patch('/api/me', { avatar, displayName: 'Alice A.' }))
  assert.equal(await statusFor(mimir, bob, avatar), 200)
  const device = await bob.connect()
  const { cursor } = assertDone(await bob.rest.get('/api/sync'))

  assertDone(await alice.rest.post(`/api/friends/${bob.id}/block`), 204)
  assert.equal(await statusFor(mimir, bob, avatar), 404)
  const [entry] = assertDone(await bob.rest.get('/api/conversations'))
  assert.equal(entry.otherUsername, 'alice')
  assert.ok(!('avatar' in entry) && !('otherDisplayName' in entry))
  const { members } = assertDone(await bob.rest.get(`/api/conversations/${dm}`))
  for (const member of members) assert.ok(!('avatar' in member) && !('displayName' in member))
  assertDone(await alice.rest.patch('/api/me', { displayName: 'Alice B.' }))
  assertDone(await alice.rest.delete(`/api/friends/${bob.id}/block`), 204)
  const { id } = await alice.say(dm, 'after')
  await device.event('MessageReceived', (message) => message.id === id)
  assert.deepEqual(device.all('ProfileChanged'), [])
  const { events } = assertDone(await bob.rest.get(`/api/sync?cursor=${cursor}`))
  assert.deepEqual(
    events.map(({ type }: { type: string }) => type),
    ['FriendshipChanged', 'MessageReceived'],
  )
})

test('a changed profile is told once to each who may see it, live and after being away', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  await bob.group('trio', alice, cleo)
  await bob.dm(alice)
  const stranger = await mimir.person('stranger')
  const devices = [await alice.connect(), await bob.connect(), await bob.connect()]
  const deaf = await stranger.connect()
  const { cursor } = assertDone(await cleo.rest.get('/api/sync'))
  const avatar = await picture(mimir, alice)

  assertDone(await setOwn(alice, avatar))
  assertDone(await setOwn(alice, avatar))
  assertDone(await alice.rest.patch('/api/me', { phone: '+90 555 0101' }))
  assertDone(await alice.rest.patch('/api/me', { displayName: 'Al' }))
  const base = { userId: alice.id, username: 'alice' }
  const last = { ...base, displayName: 'Al', avatar }
  for (const device of devices) {
    await device.event('ProfileChanged', ({ displayName }) => displayName === 'Al')
    assert.deepEqual(device.all('ProfileChanged'), [{ ...base, displayName: null, avatar }, last])
  }
  const { events } = assertDone(await cleo.rest.get(`/api/sync?cursor=${cursor}`))
  assert.deepEqual(
    events.map(({ type, data }: { type: string; data: unknown }) => [type, data]),
    [
      ['ProfileChanged', last],
      ['ProfileChanged', last],
    ],
  )
  assert.deepEqual(deaf.received, [])
})

test('a group’s avatar is set by its admins, seen by its members and told to all of them', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('duo', bob)
  const dm = await alice.dm(bob)
  const avatar = await picture(mimir, alice)
  const device = await bob.connect()
  const { cursor } = assertDone(await bob.rest.get('/api/sync'))

  assertRefused(await setGroups(bob, group, await picture(mimir, bob)), 403, 'forbidden')
  assertRefused(await setGroups(cleo, group, null), 403, 'forbidden')
  assertRefused(await setGroups(alice, dm, avatar), 400, 'dm_has_no_avatar')
  assertRefused(await setGroups(alice, dm, null), 400, 'dm_has_no_avatar')
  assertDone(await setGroups(alice, group, avatar), 204)
  assertDone(await setGroups(alice, group, avatar), 204)
  await collect(mimir)

  assert.equal(assertDone(await bob.rest.get(`/api/conversations/${group}`)).avatar, avatar)
  const inbox = assertDone(await bob.rest.get('/api/conversations'))
  const shown = inbox.map(({ id, avatar }: { id: string; avatar?: string }) => [id, avatar])
  assert.deepEqual(Object.fromEntries(shown), { [group]: avatar, [dm]: undefined })
  assert.equal(await statusFor(mimir, bob, avatar), 200)
  assert.equal(await statusFor(mimir, cleo, avatar), 404)
  assertDone(await setGroups(alice, group, null), 204)
  assert.ok(!('avatar' in assertDone(await bob.rest.get(`/api/conversations/${group}`))))
  assert.equal(await statusFor(mimir, bob, avatar), 404)

  const base = { conversationId: group }
  await device.event('ConversationAvatarChanged', (data) => data.avatar === null)
  const told = [avatar, null].map((avatar) => ({ ...base, avatar }))
  assert.deepEqual(device.all('ConversationAvatarChanged'), told)
  const { events } = assertDone(await bob.rest.get(`/api/sync?cursor=${cursor}`))
  const changes = events.filter(
    ({ type }: { type: string }) => type === 'ConversationAvatarChanged',
  )
  assert.deepEqual(
    changes.map(({ data }: { data: unknown }) => data),
    [
      { ...base, avatar: null },
      { ...base, avatar: null },
    ],
  )
})

test('what is replaced or taken away is gone from the store, unless something else uses it', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('duo', bob)
  const dm = await alice.dm(bob)
  const [first, second] = [await picture(mimir, alice), await picture(mimir, alice)]
  const ids = async () => (await rowsOf(mimir)).attachments.map(({ id }) => id).sort()

  assertDone(await setOwn(alice, first))
  assertRefused(await alice.rest.delete(`/api/attachments/${first}`), 409, 'already_sent')
  assertDone(await setOwn(alice, second))
  assert.deepEqual(await ids(), [second])
  assert.equal(await usageOf(mimir, alice), PNG.length)

  // One attachment with several uses: it goes with the last of them.
  assertDone(await setGroups(alice, group, second), 204)
  const body = { content: '', attachmentIds: [second] }
  const message = assertDone(await alice.rest.post(`/api/messages/${dm}`, body), 201)
  assertDone(await setOwn(alice, null))
  assertDone(await alice.rest.delete(`/api/messages/${message.id}`), 204)
  assert.deepEqual(await ids(), [second])
  assert.equal(await statusFor(mimir, bob, second), 200)
  assertDone(await setGroups(alice, group, null), 204)
  assert.deepEqual(await rowsOf(mimir), NOTHING)
  assert.equal(await usageOf(mimir, alice), 0)
})

test('only an own upload that is an image of a bearable size becomes an avatar', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('duo', bob)
  const foreign = await picture(mimir, bob)
  const text = assertDone(await upload(mimir, alice, Buffer.from('<svg>')), 201).id
  const large = assertDone(
    await upload(mimir, alice, Buffer.concat([PNG, Buffer.alloc(2 * 1024 * 1024)])),
    201,
  ).id
  const unknown = '01900000-0000-7000-8000-00000000abcd'
  const before = assertDone(await alice.rest.get('/api/me'))

  for (const set of [
    (avatar: string) => alice.rest.patch('/api/me', { avatar, displayName: 'not this' }),
    (avatar: string) =>
      alice.rest.put(`/api/conversations/${group}/settings`, { avatar, timerSeconds: 60 }),
  ]) {
    assertRefused(await set(foreign), 404, 'attachment_not_found')
    assertRefused(await set(unknown), 404, 'attachment_not_found')
    assertRefused(await set(text), 400, 'avatar_is_no_image')
    const reply = await set(large)
    assertRefused(reply, 413, 'avatar_too_large')
    assert.equal(reply.body.max, 2 * 1024 * 1024)
    assertRefused(await set('x'), 400, 'validation_failed')
  }
  // All or nothing: the other changes of the refused request were not applied either.
  assert.deepEqual(assertDone(await alice.rest.get('/api/me')), before)
  const conversation = assertDone(await alice.rest.get(`/api/conversations/${group}`))
  assert.ok(!('timerSeconds' in conversation) && !('avatar' in conversation))
  assertDone(await alice.rest.delete(`/api/attachments/${text}`), 204)
})

test('many changes at once leave one avatar and nothing behind', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('duo', bob)
  const pictures: string[] = []
  for (let n = 0; n < 6; n++) pictures.push(await picture(mimir, alice))

  const replies = await Promise.all(
    pictures.flatMap((avatar) => [setOwn(alice, avatar), setGroups(alice, group, avatar)]),
  )
  // An avatar replaced concurrently may be deleted before the other request reaches it.
  const odd = replies.filter(({ status }) => ![200, 204].includes(status))
  for (const reply of odd) assertRefused(reply, 404, 'attachment_not_found')
  await collect(mimir)
  const { avatar } = assertDone(await alice.rest.get('/api/me'))
  const groups = assertDone(await alice.rest.get(`/api/conversations/${group}`)).avatar
  const left = (await rowsOf(mimir)).attachments.map(({ id }) => id).sort()
  assert.deepEqual(left, [...new Set([avatar, groups])].sort())
  assert.equal(await usageOf(mimir, alice), left.length * PNG.length)
  for (const id of left) assert.equal(await statusFor(mimir, bob, id), 200)
})
