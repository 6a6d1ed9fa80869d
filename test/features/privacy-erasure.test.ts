import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from 'kysely'
import { DAY, MINUTE } from '../../src/platform/clock.ts'
import { PNG, rowsOf, upload } from '../harness/attachments.ts'
import { AuditWebhook } from '../harness/audit-receivers.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { byKey } from '../harness/keys.ts'
import { Person, type SignedIn } from '../harness/people.ts'
import { Browser } from '../harness/push-services.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { STORE } from '../harness/store.ts'

/** Made up, so that they cannot occur elsewhere by chance. */
const NAME = 'Zerafine_Quibb'
const PHONE = '+49 555 917 5533'
const DISPLAY = 'Zerafine the Quibble'
const NOTE = 'for Zerafine from the choir'
const REASON = 'Zerafine shouted at the choir'
const TEXT = 'the walrus keeps its saxophone under the bridge'

const traces = (email: string) => [
  NAME,
  NAME.toLowerCase(),
  email,
  PHONE,
  DISPLAY,
  NOTE,
  REASON,
  TEXT,
]

/** Every value of every row, as text. */
async function rowsAsText(mimir: Appliance): Promise<string> {
  const { read, kind } = mimir.app.ctx.db.engine
  const schema =
    kind === 'postgres'
      ? (await sql<{ name: string }>`select current_schema() as name`.execute(read)).rows[0]?.name
      : undefined
  const tables = await read.introspection.getTables()
  const texts: string[] = []
  for (const table of tables.filter((one) => one.schema === schema)) {
    const { rows } = await sql`select * from ${sql.table(table.name)}`.execute(read)
    for (const row of rows as Record<string, unknown>[]) {
      for (const value of Object.values(row)) {
        texts.push(Buffer.isBuffer(value) ? value.toString('latin1') : String(value))
      }
    }
  }
  return texts.join('\n')
}

function filesAsText(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true }).map(String)
  const files = names.filter((name) => statSync(join(directory, name)).isFile())
  return new Map(
    files.map((name) => [name, readFileSync(join(directory, name)).toString('latin1')]),
  )
}

async function livedIn(mimir: Appliance): Promise<{ who: Person; bob: Person; group: string }> {
  const { token: invitationToken } = await mimir.command('invite.create', { note: NOTE })
  const account = {
    invitationToken,
    email: `${NAME.toLowerCase()}@example.org`,
    username: NAME,
    password: `the password of ${NAME}`,
    phone: PHONE,
  }
  assertDone(await mimir.rest().post('/api/auth/register', account))
  await mimir.command('user.approve', { user: NAME })
  const bob = await mimir.person('bob')
  const signIn = { usernameOrEmail: NAME, password: account.password }
  const signedIn = assertDone(await mimir.rest().post('/api/auth/login', signIn))
  const me = assertDone(await mimir.rest(signedIn.accessToken).get('/api/me'))
  const { password } = account
  const personOf = ({ accessToken, refreshToken }: SignedIn) =>
    new Person(mimir, { name: NAME, password, id: me.id, accessToken, refreshToken })
  const who = personOf(signedIn)
  await bob.befriend(who)
  assertDone(await who.rest.patch('/api/me', { displayName: DISPLAY }))
  const group = await who.group('a group', bob)
  await who.say(group, TEXT)
  const message = await who.say(await who.dm(bob), TEXT)
  await bob.rest.post(`/api/messages/${message.id}/reactions/${encodeURIComponent('👍')}`)
  const { subscription } = new Browser('https://push.example.org/zerafine')
  assertDone(await who.rest.post('/api/me/push-subscriptions', subscription), 201)
  await mimir.rest().post('/api/auth/login', { ...signIn, password: 'wrong' })
  await mimir.command('user.suspend', { user: me.id, reason: REASON })
  await mimir.command('user.reinstate', { user: me.id })
  const again = assertDone(await mimir.rest().post('/api/auth/login', signIn))
  return { who: personOf(again), bob, group }
}

test('after an erasure nothing names the person: in no row, no file, no log and no sink', async () => {
  await using webhook = await new AuditWebhook().start()
  const sinkDirectory = mkdtempSync(join(tmpdir(), 'mimir-sink-'))
  const env = {
    ...webhook.env,
    MIMIR_AUDIT_LOG_DESTINATION: 'file,webhook',
    MIMIR_AUDIT_LOG_FILE: join(sinkDirectory, 'audit.jsonl'),
  }
  await using mimir = await boot({ env })
  const { who, bob, group } = await livedIn(mimir)
  const email = `${NAME.toLowerCase()}@example.org`
  const named = await rowsAsText(mimir)
  for (const trace of [NAME, email, PHONE, DISPLAY, NOTE, REASON])
    assert.ok(named.includes(trace), trace)

  await mimir.app.ctx.db.engine.copyBefore('an-upgrade')
  const proof = { currentPassword: who.password }
  const asked = assertDone(await who.rest.post('/api/privacy/erasure', proof), 202)
  assert.equal(Date.parse(asked.dueAt) - Date.parse(asked.requestedAt), 7 * DAY)
  mimir.clock.advance(7 * DAY - MINUTE)
  await mimir.app.jobs.runNow('erase-accounts')
  assert.ok((await rowsAsText(mimir)).includes(email), 'there is still time to undo it')
  mimir.clock.advance(2 * MINUTE)
  await mimir.app.jobs.runNow('erase-accounts')

  for (const job of ['chain-audit-events', 'deliver-audit-to-file', 'deliver-audit-to-webhook']) {
    await mimir.app.jobs.runNow(job)
  }
  const places = new Map([
    ['rows', await rowsAsText(mimir)],
    ['log', mimir.logged.join('\n')],
    ['webhook', JSON.stringify(webhook.batches)],
    ...filesAsText(sinkDirectory),
    // The store and its write-ahead log are in the data directory.
    ...filesAsText(mimir.dataDir),
  ])
  if (STORE === 'sqlite') assert.ok([...places.keys()].some((name) => name === 'mimir.db'))
  for (const [place, text] of places) {
    for (const trace of traces(email)) assert.ok(!text.includes(trace), `${trace} is in ${place}`)
  }

  const verified = await mimir.command('audit.verify')
  assert.equal(verified.broken, undefined)
  const signIn = { usernameOrEmail: email, password: who.password }
  assertRefused(await mimir.rest().post('/api/auth/login', signIn), 401, 'invalid_credentials')
  const refresh = { refreshToken: who.refreshToken }
  assert.equal((await mimir.rest().post('/api/auth/refresh', refresh)).status, 401)

  // Other people's copies of the person's messages stay, from a nameless sender.
  const again = mimir.rest((await bob.signIn()).accessToken)
  const history = assertDone(await again.get(`/api/messages/${group}`))
  assert.deepEqual(
    history.map(({ content }: { content: string }) => content),
    [TEXT],
  )
  const left = assertDone(await again.get(`/api/conversations/${group}`))
  assert.deepEqual(
    left.members.map(({ userId, role }: { userId: string; role: string }) => [userId, role]),
    [[bob.id, 'Owner']],
  )
  assert.deepEqual(assertDone(await again.get('/api/friends')), [])

  const receipts = await mimir.app.ctx.db.read.selectFrom('privacy_receipts').selectAll().execute()
  assert.deepEqual(
    receipts.map(({ kind }) => kind),
    ['erasure'],
  )
  assert.ok(!JSON.stringify(receipts).includes(who.id))
})

test('an erasure can be undone for seven days, and a second request is the first one', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const proof = { currentPassword: alice.password }
  assertRefused(await alice.rest.delete('/api/privacy/erasure'), 404, 'no_erasure')
  const wrong = await alice.rest.post('/api/privacy/erasure', { currentPassword: 'x' })
  assertRefused(wrong, 400, 'current_password_incorrect')
  const first = assertDone(await alice.rest.post('/api/privacy/erasure', proof), 202)
  const second = assertDone(await alice.rest.post('/api/privacy/erasure', proof), 202)
  assert.deepEqual(second, first)
  assert.deepEqual(assertDone(await alice.rest.get('/api/privacy/erasure')), first)
  assertDone(await alice.rest.delete('/api/privacy/erasure'), 204)
  mimir.clock.advance(8 * DAY)
  await mimir.app.jobs.runNow('erase-accounts')
  assertDone(await mimir.rest((await alice.signIn()).accessToken).get('/api/me'))
})

test('requests made at once are one, which one withdrawal undoes', async () => {
  await using mimir = await boot()
  const alice = await mimir.person('alice')
  const proof = { currentPassword: alice.password }
  const ask = async () => assertDone(await alice.rest.post('/api/privacy/erasure', proof), 202)
  const order = () => mimir.command('user.erase', { user: 'alice' })
  const [first, second] = await Promise.all([ask(), ask(), order(), order(), order(), order()])
  assert.deepEqual(second, first)
  assertDone(await alice.rest.delete('/api/privacy/erasure'), 204)
  assertRefused(await alice.rest.get('/api/privacy/erasure'), 404, 'no_erasure')
})

test('whoever asks for it has their messages deleted too, on others’ devices as well', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const { id } = await alice.say(dm, 'mine')
  await bob.say(dm, 'his')
  const hub = await bob.connect()
  const request = { currentPassword: alice.password, deleteMessages: true }
  assertDone(await alice.rest.post('/api/privacy/erasure', request), 202)
  mimir.clock.advance(8 * DAY)
  await mimir.app.jobs.runNow('erase-accounts')
  const told = await hub.event('MessageDeleted')
  assert.equal(told.messageId, id)
  const ended = { userId: alice.id, status: 'None' }
  assert.deepEqual(await hub.event('FriendshipChanged'), ended)
  const rest = mimir.rest((await bob.signIn()).accessToken)
  const history = assertDone(await rest.get(`/api/messages/${dm}`))
  assert.deepEqual(
    history.map(({ content }: { content: string }) => content),
    ['his'],
  )
})

test('a group whose owner is erased goes to somebody who can lead it, and without members it ends', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('ada')
  const [alice, bob, cleo] = await mimir.friends('alice', 'bob', 'cleo')
  const [led, left] = [await alice.group('led', bob, cleo), await alice.group('left', cleo)]
  const pathOf = (group: string, person?: Person) =>
    `/api/conversations/${group}${person ? `/members/${person.id}` : ''}`
  const bot = { kind: 'incoming', name: 'Deploys' }
  assertDone(await alice.rest.post(`${pathOf(led)}/webhooks`, bot), 201)
  for (const [group, person] of [
    [led, bob],
    [left, cleo],
  ] as const) {
    assertDone(await alice.rest.patch(pathOf(group, person), { role: 'Admin' }), 204)
  }
  const picture = assertDone(await upload(mimir, cleo, PNG), 201)
  const settings = { avatar: picture.id }
  assertDone(await cleo.rest.put(`${pathOf(left)}/settings`, settings), 204)
  assertDone(await cleo.rest.delete(pathOf(left, cleo)), 204)
  await mimir.command('user.suspend', { user: 'bob' })

  assertDone(await admin.rest.post(`/api/privacy/anonymize/${alice.id}`), 204)
  const { members } = assertDone(await cleo.rest.get(pathOf(led)))
  const owners = members.filter(({ role }: { role: string }) => role === 'Owner')
  assert.deepEqual(
    owners.map(({ userId }: { userId: string }) => userId),
    [cleo.id],
  )
  assert.deepEqual((await rowsOf(mimir)).attachments, [])
})

test('a legal hold keeps the account, and so does being the last administrator', async () => {
  await using mimir = await boot()
  const admin = await mimir.admin('alice')
  const bob = await mimir.person('bob')
  const last = await admin.rest.post('/api/privacy/erasure', { currentPassword: admin.password })
  assertRefused(last, 409, 'last_admin')

  const proof = { currentPassword: bob.password }
  assertDone(await bob.rest.post('/api/privacy/erasure', proof), 202)
  const reason = 'a court asks for it'
  const hold = await mimir.command('retention.hold', { subject: 'user', name: 'bob', reason })
  const now = await admin.rest.post(`/api/privacy/anonymize/${bob.id}`)
  assertRefused(now, 409, 'under_legal_hold')
  mimir.clock.advance(8 * DAY)
  await mimir.app.jobs.runNow('erase-accounts')
  assert.equal((await mimir.command('user.show', { user: bob.id })).username, 'bob')
  await mimir.command('retention.lift', { id: hold.id })
  await mimir.app.jobs.runNow('erase-accounts')
  assert.match((await mimir.command('user.show', { user: bob.id })).username, /^erased_/)
  const events = await mimir.app.ctx.db.read.selectFrom('audit_events').select('details').execute()
  assert.ok(!JSON.stringify(events).includes(reason), 'words stand in the hold alone')
})

test('an administrator erases others after a fresh proof, and not by a key', async () => {
  await using mimir = await boot()
  const [admin, bob] = [await mimir.admin('alice'), await mimir.person('bob')]
  const path = `/api/privacy/anonymize/${bob.id}`
  const { key } = assertDone(
    await admin.rest.post('/api/keys', { name: 'wide', scopes: ['*'] }),
    201,
  )
  assertRefused(await byKey(mimir, key).post(path), 403, 'session_needed')
  mimir.clock.advance(15 * MINUTE + 1000)
  const { refreshToken } = admin
  const { accessToken } = assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken }))
  const rest = mimir.rest(accessToken)
  assertRefused(await rest.post(path), 401, 'step_up_required')
  assertDone(await rest.post('/api/me/step-up', { password: admin.password }), 204)
  assertDone(await rest.post(path), 204)
})
