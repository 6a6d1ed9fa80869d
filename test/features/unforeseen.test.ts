import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { type Appliance, boot } from '../harness/boot.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'

/** Drops a table behind the server's back, so that its users fail with an unforeseen error. */
const lose = ({ app }: Appliance, table: string) =>
  app.ctx.db.transaction((tx) => sql`drop table ${sql.table(table)}`.execute(tx))

test('what nobody foresaw has a code and an id, tells nothing of the inside, and is logged', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const { id } = await alice.say(dm, 'hello')
  const hub = await alice.connect()
  await lose(mimir, 'message_pins')
  await lose(mimir, 'message_reactions')

  const reply = await alice.rest.get(`/api/conversations/${dm}/pins`)
  assertRefused(reply, 500, 'internal_error')
  assert.deepEqual(Object.keys(reply.body).sort(), ['error', 'message', 'requestId'])
  assert.doesNotMatch(JSON.stringify(reply.body), /message_pins|select|table|relation|\.ts/i)
  const logged = mimir.logged.filter((line) => line.includes(reply.body.requestId))
  assert.ok(logged.some((line) => line.includes('message_pins')))

  await hub.assertRefused('internal_error', 'React', id, '👍', true)
  await hub.invoke('SendMessage', dm, 'the rest goes on')
  const history = assertDone(await bob.rest.get(`/api/messages/${dm}`))
  assert.equal(history.length, 2)
})
