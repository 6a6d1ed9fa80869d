import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PNG, upload } from '../harness/attachments.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

const wipe = (mimir: Appliance) => mimir.app.jobs.runNow('wipe-expired-messages')

const hold = (mimir: Appliance, subject: string, name: string) =>
  mimir.command('retention.hold', { subject, name, reason: 'case 1' })

async function isWiped(mimir: Appliance, id: string): Promise<boolean> {
  const row = await mimir.app.ctx.db.read
    .selectFrom('messages')
    .select(['sealed', 'deleted_at'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return row.deleted_at !== null && row.sealed.length === 0
}

test('a message whose time runs out under a legal hold is hidden, and wiped once the hold is lifted', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [dm, group] = [await alice.dm(bob), await alice.group('held', bob)]
  assertDone(
    await alice.rest.put(`/api/conversations/${group}/settings`, { timerSeconds: 60 }),
    204,
  )
  const send = async (who: typeof alice, conversation: string, body: object) =>
    assertDone(await who.rest.post(`/api/messages/${conversation}`, body), 201)
  const { id: attachment } = assertDone(await upload(mimir, alice, PNG), 201)
  const timed = { content: 'of alice', expiresInSeconds: 60, attachmentIds: [attachment] }
  const ofAlice = await send(alice, dm, timed)
  const ofBob = await send(bob, dm, { content: 'of bob', expiresInSeconds: 60 })
  const inGroup = await send(bob, group, { content: 'in the group' })
  const onAlice = await hold(mimir, 'user', 'alice')
  const onGroup = await hold(mimir, 'conversation', group)

  mimir.clock.advance(61_000)
  await wipe(mimir)
  assert.equal(await isWiped(mimir, ofBob.id), true)
  for (const { id } of [ofAlice, inGroup]) assert.equal(await isWiped(mimir, id), false)

  // To people it looks deleted like any other: nothing reveals the hold.
  assert.deepEqual(assertDone(await bob.rest.get(`/api/messages/${dm}`)), [])
  assert.deepEqual(assertDone(await bob.rest.get(`/api/messages/${group}`)), [])
  for (const who of [alice, bob]) {
    assertRefused(await who.rest.get(`/api/attachments/${attachment}`), 404, 'not_found')
  }
  assertRefused(await alice.rest.delete(`/api/messages/${ofAlice.id}`), 404, 'not_found')

  await mimir.command('retention.lift', { id: onAlice.id })
  await wipe(mimir)
  assert.equal(await isWiped(mimir, ofAlice.id), true)
  assert.equal(await isWiped(mimir, inGroup.id), false)
  await mimir.command('retention.lift', { id: onGroup.id })
  await wipe(mimir)
  assert.equal(await isWiped(mimir, inGroup.id), true)
})

test('what is held does not keep the rest from being wiped, however much it is', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const [ofAlice, ofBob] = [await alice.connect(), await bob.connect()]
  const options = { expiresInSeconds: 5 }
  const many = Array.from({ length: 250 }, (_, n) => `${n}`)
  await Promise.all(many.map((text) => ofAlice.invoke('SendMessage', dm, text, options)))
  await Promise.all(many.map((text) => ofBob.invoke('SendMessage', dm, text, options)))
  await hold(mimir, 'user', 'alice')
  mimir.clock.advance(6000)
  await wipe(mimir)
  const left = await mimir.app.ctx.db.read
    .selectFrom('messages')
    .select('sender_id')
    .where('deleted_at', 'is', null)
    .execute()
  assert.deepEqual(
    left.map(({ sender_id }) => sender_id),
    many.map(() => alice.id),
  )
})

test('an erasure with all messages leaves those of a conversation under a legal hold', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const [dm, group] = [await alice.dm(bob), await alice.group('held', bob)]
  const [free, held] = [await alice.say(dm, 'free'), await alice.say(group, 'held')]
  await hold(mimir, 'conversation', group)
  await mimir.command('user.erase', { user: 'alice', now: true, deleteMessages: true })
  assert.equal(await isWiped(mimir, free.id), true)
  assert.equal(await isWiped(mimir, held.id), false)
})
