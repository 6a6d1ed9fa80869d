import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { DAY, MINUTE } from '../../src/platform/clock.ts'
import { upload } from '../harness/attachments.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { setUpTotp } from '../harness/factors.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, assertRefused } from '../harness/rest.ts'
import { unzip } from '../harness/zip.ts'

async function ask(who: Person): Promise<string> {
  const reply = await who.rest.post('/api/privacy/export', { currentPassword: who.password })
  return assertDone(reply, 202).id
}

async function fetchArchive(mimir: Appliance, who: Person, id: string): Promise<Response> {
  return fetch(`${mimir.url}/api/privacy/export/${id}/archive`, {
    headers: { authorization: `Bearer ${who.accessToken}` },
  })
}

const make = (mimir: Appliance) => mimir.app.jobs.runNow('make-exports')

test('an archive has everything of the person, and nothing that is others’ alone', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  for (let n = 0; n < 3; n++) await alice.say(dm, `from alice ${n} – ünïcode 👍`)
  await bob.say(dm, 'from bob alone')
  const file = randomBytes(700_000)
  const { id: attachmentId } = assertDone(
    await upload(mimir, alice, file, { 'x-file-name': encodeURIComponent('../weird/näme.bin') }),
    201,
  )
  const path = `/api/messages/${dm}`
  assertDone(await alice.rest.post(path, { content: 'file', attachmentIds: [attachmentId] }), 201)

  const id = await ask(alice)
  assert.equal(await ask(alice), id, 'one at a time')
  const waiting = assertDone(await alice.rest.get(`/api/privacy/export/${id}`))
  assert.deepEqual([waiting.state, waiting.size], ['waiting', 0])
  assertRefused(await alice.rest.get(`/api/privacy/export/${id}/archive`), 409, 'export_not_ready')
  await make(mimir)
  const ready = assertDone(await alice.rest.get(`/api/privacy/export/${id}`))
  assert.equal(ready.state, 'ready')
  assert.equal(ready.done, ready.total)

  const response = await fetchArchive(mimir, alice, id)
  assert.equal(response.headers.get('content-type'), 'application/zip')
  const bytes = Buffer.from(await response.arrayBuffer())
  assert.equal(bytes.length, ready.size)
  const files = await unzip(bytes)
  const json = (name: string) => JSON.parse(String(files.get(name)))
  const [account] = json('account.json')
  assert.equal(account.email, 'alice@example.org')
  assert.equal(account.has_password, true)
  const said = json('messages.json').map(({ content }: { content: string }) => content)
  assert.deepEqual(said, [...[0, 1, 2].map((n) => `from alice ${n} – ünïcode 👍`), 'file'])
  assert.equal(json('friends.json').length, 1)
  assert.ok(json('audit.json').length > 0)
  const names = [...files.keys()].filter((name) => name.startsWith('attachments/'))
  assert.equal(names.length, 1)
  const [stored = ''] = names
  assert.ok(!stored.includes('..') && stored.split('/').length === 2, stored)
  assert.ok(files.get(stored)?.equals(file))
  const everything = [...files.values()].join('\n')
  for (const secret of ['from bob alone', 'bob@example.org', '$2b$', alice.refreshToken]) {
    assert.ok(!everything.includes(secret), secret)
  }
})

test('an archive is for the person alone, with the password, for a week', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const wrong = { currentPassword: 'not it' }
  for (const body of [wrong, {}]) {
    const reply = await alice.rest.post('/api/privacy/export', body)
    assertRefused(reply, 400, 'current_password_incorrect')
  }
  const id = await ask(alice)
  await make(mimir)
  assert.equal((await fetchArchive(mimir, bob, id)).status, 404)
  assertRefused(await bob.rest.get(`/api/privacy/export/${id}`), 404, 'not_found')
  assert.equal((await fetch(`${mimir.url}/api/privacy/export/${id}/archive`)).status, 401)

  mimir.clock.advance(7 * DAY + MINUTE)
  const later = await alice.signIn()
  const rest = mimir.rest(later.accessToken)
  assertRefused(await rest.get(`/api/privacy/export/${id}/archive`), 410, 'export_expired')
  await mimir.app.jobs.runNow('expire-exports')
  const { read } = mimir.app.ctx.db
  assert.deepEqual(await read.selectFrom('privacy_exports').select('id').execute(), [])
  assert.deepEqual(await read.selectFrom('privacy_export_chunks').select('export_id').execute(), [])
})

test('requests made at once are one', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const alice = await mimir.person('alice')
  const proof = { currentPassword: alice.password }
  const ask = async () => assertDone(await alice.rest.post('/api/privacy/export', proof), 202)
  const [first, ...others] = await Promise.all([ask(), ask(), ask(), ask()])
  for (const { id } of others) assert.equal(id, first.id)
})

test('an archive whose making broke off is made anew, and is sealed where it lies', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const [alice, bob] = await mimir.friends('alice', 'bob')
  await alice.say(await alice.dm(bob), 'a text to be looked for')
  const id = await ask(alice)
  const { db } = mimir.app.ctx
  // The state that a killed process leaves.
  await db.transaction(async (tx) => {
    await tx.updateTable('privacy_exports').set({ state: 'running' }).execute()
    const sealed = Buffer.from('half a chunk')
    const chunk = { export_id: id, position: 0, tenant_id: 'default', sealed }
    await tx.insertInto('privacy_export_chunks').values(chunk).execute()
  })
  await make(mimir)
  const status = () => alice.rest.get(`/api/privacy/export/${id}`)
  assert.equal(assertDone(await status()).state, 'running', 'its maker may still be at work')
  mimir.clock.advance(2 * MINUTE)
  await make(mimir)
  assert.equal(assertDone(await status()).state, 'ready')
  const archive = Buffer.from(await (await fetchArchive(mimir, alice, id)).arrayBuffer())
  const files = await unzip(archive)
  assert.ok(String(files.get('messages.json')).includes('a text to be looked for'))
  const chunks = await db.read.selectFrom('privacy_export_chunks').select('sealed').execute()
  for (const { sealed } of chunks) assert.ok(!sealed.includes('PK\x03\x04'), 'a zip lies open')
})

test('the operator gets anybody’s archive chunk by chunk', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const alice = await mimir.person('alice')
  assertDone(await upload(mimir, alice, randomBytes(600_000)), 201)
  const made = await mimir.command('user.export', { user: 'alice' })
  assert.ok(made.chunks >= 3)
  const parts: Buffer[] = []
  for (let position = 0; position < made.chunks; position++) {
    const { bytes } = await mimir.command('user.export-chunk', { id: made.id, position })
    parts.push(Buffer.from(bytes, 'base64'))
  }
  assert.ok((await unzip(Buffer.concat(parts))).has('account.json'))
})

test('an export and an erasure ask for a second factor that was shown lately, beside the password', async () => {
  await using mimir = await boot({ jobs: 'by hand' })
  const alice = await mimir.person('alice')
  const { recoveryCodes } = await setUpTotp(mimir, alice)
  mimir.clock.advance(15 * MINUTE + 1000)
  const { refreshToken } = alice
  const { accessToken } = assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken }))
  const rest = mimir.rest(accessToken)
  const [path, proof] = ['/api/privacy/', { currentPassword: alice.password }]
  for (const what of ['export', 'erasure']) {
    assertRefused(await rest.post(path + what, proof), 401, 'step_up_required')
  }
  assertDone(await rest.post('/api/me/step-up', { code: recoveryCodes[0] }), 204)
  for (const what of ['export', 'erasure']) {
    const wrong = await rest.post(path + what, { currentPassword: 'not it' })
    assertRefused(wrong, 400, 'current_password_incorrect')
    assertDone(await rest.post(path + what, proof), 202)
  }
})
