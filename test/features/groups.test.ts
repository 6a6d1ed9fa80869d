import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { PNG, rowsOf, upload } from '../harness/attachments.ts'
import { boot } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const add = (by: Person, group: string, who: Person) =>
  by.rest.post(`/api/conversations/${group}/members`, { userId: who.id })
const remove = (by: Person, group: string, who: Person) =>
  by.rest.delete(`/api/conversations/${group}/members/${who.id}`)
const appoint = (by: Person, group: string, who: Person, role: string) =>
  by.rest.patch(`/api/conversations/${group}/members/${who.id}`, { role })
const rename = (by: Person, group: string, name: string) =>
  by.rest.patch(`/api/conversations/${group}`, { name })

async function rolesOf(person: Person, group: string): Promise<Record<string, string>> {
  const { members } = assertDone(await person.rest.get(`/api/conversations/${group}`))
  return Object.fromEntries(
    members.map(({ username, role }: { username: string; role: string }) => [username, role]),
  )
}

test('people are added up to the limit and never beyond it, however many at once', async () => {
  await using mimir = await boot({ env: { MIMIR_GROUP_MAX_MEMBERS: '4' } })
  const owner = await mimir.person('owner')
  const friends: Person[] = []
  for (let n = 0; n < 8; n++) {
    const friend = await mimir.person(`friend${n}`)
    await owner.befriend(friend)
    friends.push(friend)
  }
  const group = await owner.group('few', friends[0] as Person)

  const replies = await Promise.all(friends.slice(1).map((friend) => add(owner, group, friend)))

  assert.equal(replies.filter((reply) => reply.status === 204).length, 2)
  for (const reply of replies.filter((reply) => reply.status !== 204)) {
    assertRefused(reply, 400, 'group_full')
    assert.equal(reply.body.max, 4)
  }
  assert.equal(Object.keys(await rolesOf(owner, group)).length, 4)
})

test('the same person added many times at once joins once', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', bob)
  const device = await bob.connect()

  const replies = await Promise.all(Array.from({ length: 5 }, () => add(alice, group, cleo)))

  assert.equal(replies.filter((reply) => reply.status === 204).length, 1)
  for (const reply of replies.filter((reply) => reply.status !== 204)) {
    assertRefused(reply, 409, 'already_member')
  }
  await alice.say(group, 'welcome')
  await device.event('MessageReceived')
  assert.equal(device.all('ConversationMemberAdded').length, 1)
})

test('adding asks for a friend who is not there yet; one is there oneself', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const stranger = await mimir.person('stranger')
  const group = await alice.group('trio', bob)

  assertRefused(await add(alice, group, alice), 400, 'already_member')
  assertRefused(await add(alice, group, bob), 409, 'already_member')
  assertRefused(await add(alice, group, stranger), 400, 'not_friends')
  assertRefused(await add(bob, group, cleo), 403, 'forbidden')
  assertDone(await add(alice, group, cleo), 204)
})

test('a direct conversation has no name and its members do not change', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const dm = await alice.dm(bob)

  assertRefused(await rename(alice, dm, 'us'), 400, 'dm_cannot_be_renamed')
  assertRefused(await add(alice, dm, cleo), 400, 'dm_cannot_be_modified')
  assertRefused(await remove(alice, dm, bob), 400, 'dm_cannot_be_modified')
  assertRefused(await remove(alice, dm, alice), 400, 'dm_cannot_be_modified')
  assertRefused(await remove(bob, dm, bob), 400, 'dm_cannot_be_modified')
  assertRefused(await appoint(alice, dm, bob, 'Admin'), 400, 'dm_cannot_be_modified')
})

test('an admin renames the group and everybody hears of it; a member may not', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('old', bob)
  const device = await bob.connect()

  assertRefused(await rename(bob, group, 'bobs'), 403, 'forbidden')
  for (const name of ['', '   ', 'x'.repeat(101), 'two\nlines', 'nul\0', '\ud800']) {
    assertRefused(await rename(alice, group, name), 400, 'validation_failed')
  }
  assertDone(await rename(alice, group, '  new 🎉 '), 204)

  const heard = await device.event('ConversationRenamed')
  assert.deepEqual(heard, { conversationId: group, name: 'new 🎉' })
  const { name } = assertDone(await bob.rest.get(`/api/conversations/${group}`))
  assert.equal(name, 'new 🎉')
  assert.equal(device.all('ConversationRenamed').length, 1)
})

test('a member added hears the group from then on, and one removed nothing more', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', bob)
  const bobs = await bob.connect()
  const cleos = await cleo.connect()
  await alice.say(group, 'before')

  assertDone(await add(alice, group, cleo), 204)
  const { member } = await cleos.event('ConversationMemberAdded')
  const role = { userId: cleo.id, username: 'cleo', role: 'Member', lastReadAt: null }
  assert.deepEqual(member, { ...role, joinedAt: member.joinedAt })
  assert.deepEqual(await bobs.event('ConversationMemberAdded'), { conversationId: group, member })
  await alice.say(group, 'between')
  await cleos.event('MessageReceived', ({ content }) => content === 'between')

  assertDone(await remove(alice, group, cleo), 204)
  const gone = { conversationId: group, userId: cleo.id }
  assert.deepEqual(await cleos.event('ConversationMemberRemoved'), gone)
  await alice.say(group, 'after')
  await bobs.event('MessageReceived', ({ content }) => content === 'after')
  // A later message shows that nothing was on its way to her.
  await alice.say(await alice.dm(cleo), 'sorry')
  await cleos.event('MessageReceived', ({ content }) => content === 'sorry')
  const heard = cleos.all('MessageReceived').map(({ content }) => content)
  assert.deepEqual(heard, ['between', 'sorry'])
  await cleos.assertRefused('not_member', 'SendMessage', group, 'still here?')
})

test('a member leaves and comes back as a plain member', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('duo', bob)
  assertDone(await appoint(alice, group, bob, 'Admin'), 204)
  const device = await bob.connect()

  assertDone(await remove(bob, group, bob), 204)
  assertRefused(await remove(bob, group, bob), 403, 'forbidden')
  assertRefused(await remove(alice, group, bob), 404, 'not_found')
  assert.deepEqual(await rolesOf(alice, group), { alice: 'Owner' })
  assert.deepEqual(assertDone(await bob.rest.get('/api/conversations')), [])

  assertDone(await add(alice, group, bob), 204)
  assert.deepEqual(await rolesOf(bob, group), { alice: 'Owner', bob: 'Member' })
  await alice.say(group, 'again')
  await device.event('MessageReceived', ({ content }) => content === 'again')
})

test('an owner leaves only after handing the group over, and then stays as an admin', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', bob, cleo)
  const device = await cleo.connect()

  assertRefused(await remove(alice, group, alice), 400, 'owner_cannot_leave_or_be_removed')
  assertDone(await appoint(alice, group, bob, 'Admin'), 204)
  assertRefused(await remove(bob, group, alice), 400, 'owner_cannot_leave_or_be_removed')
  assertRefused(await appoint(bob, group, cleo, 'Admin'), 403, 'forbidden')
  assertRefused(await appoint(alice, group, cleo, 'King'), 400, 'validation_failed')
  assertRefused(await appoint(alice, group, alice, 'Member'), 400, 'owner_hands_over')
  const outsider = await mimir.person('outsider')
  assertRefused(await appoint(alice, group, outsider, 'Owner'), 404, 'not_found')

  assertDone(await appoint(alice, group, bob, 'Owner'), 204)
  assert.deepEqual(await rolesOf(cleo, group), { alice: 'Admin', bob: 'Owner', cleo: 'Member' })
  const change = { conversationId: group, userId: alice.id, role: 'Admin' }
  await device.event('ConversationMemberRoleChanged', ({ userId }) => userId === alice.id)
  assert.deepEqual(device.all('ConversationMemberRoleChanged').at(-1), change)
  assertDone(await remove(alice, group, alice), 204)
  assert.deepEqual(await rolesOf(cleo, group), { bob: 'Owner', cleo: 'Member' })
})

test('a group has one owner, also when it is handed to several people at once', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', bob, cleo)

  const replies = await Promise.all([bob, cleo].map((who) => appoint(alice, group, who, 'Owner')))

  assert.deepEqual(replies.map((reply) => reply.status).sort(), [204, 403])
  const roles = Object.values(await rolesOf(alice, group)).sort()
  assert.deepEqual(roles, ['Admin', 'Member', 'Owner'])
})

test('admins remove members and other admins, members only themselves', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo, dora] = await mimir.friends('alice', 'bob', 'cleo', 'dora')
  const group = await alice.group('quartet', bob, cleo, dora)
  for (const admin of [bob, cleo]) assertDone(await appoint(alice, group, admin, 'Admin'), 204)

  assertRefused(await remove(dora, group, bob), 403, 'forbidden')
  assertDone(await remove(bob, group, cleo), 204)
  assertDone(await remove(bob, group, dora), 204)
  const unknown = `/api/conversations/${group}/members/${randomUUID()}`
  assertRefused(await bob.rest.delete(unknown), 404, 'not_found')
  assert.deepEqual(await rolesOf(bob, group), { alice: 'Owner', bob: 'Admin' })
})

test('the last member leaves without handing over, and the group with its avatar is gone for all', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const group = await alice.group('duo', bob)
  const { id: avatar } = assertDone(await upload(mimir, alice, PNG), 201)
  assertDone(await alice.rest.put(`/api/conversations/${group}/settings`, { avatar }), 204)
  const device = await alice.connect()

  assertRefused(await remove(alice, group, alice), 400, 'owner_cannot_leave_or_be_removed')
  assertDone(await remove(bob, group, bob), 204)
  assertDone(await remove(alice, group, alice), 204)
  await device.event('ConversationMemberRemoved', ({ userId }) => userId === alice.id)
  assert.deepEqual(assertDone(await alice.rest.get('/api/conversations')), [])
  assertRefused(await alice.rest.get(`/api/conversations/${group}`), 403, 'forbidden')
  assertRefused(await add(alice, group, bob), 403, 'forbidden')
  assert.deepEqual((await rowsOf(mimir)).attachments, [])
})

test('who is shut out cannot be made the owner; the same role again is not told', async () => {
  await using mimir = await boot()
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const group = await alice.group('trio', bob, cleo)
  const device = await cleo.connect()
  await mimir.command('user.suspend', { user: 'bob' })

  assertRefused(await appoint(alice, group, bob, 'Owner'), 409, 'new_owner_not_active')
  assertDone(await appoint(alice, group, alice, 'Owner'), 204)
  assertDone(await appoint(alice, group, cleo, 'Member'), 204)
  assertDone(await appoint(alice, group, cleo, 'Admin'), 204)
  assertDone(await appoint(alice, group, cleo, 'Admin'), 204)
  assertDone(await remove(alice, group, bob), 204)
  await device.event('ConversationMemberRemoved')
  const told = device.all('ConversationMemberRoleChanged').map(({ userId, role }) => [userId, role])
  assert.deepEqual(told, [[cleo.id, 'Admin']])
})
