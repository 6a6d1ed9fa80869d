import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../src/platform/log.ts'
import { boot } from '../harness/boot.ts'
import { assertDone } from '../harness/rest.ts'

function logged(write: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = []
  write(createLog({ level: 'debug', stream: { write: (line) => void lines.push(line) } }))
  return lines
}

test('what looks like a secret or like somebody is masked, wherever in a line it stands', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl'
  const secrets = [
    ['ada.lovelace+x@example.org', 'email'],
    ['+49 151 2345 6789', 'phone'],
    ['078-05-1120', 'ssn'],
    ['4111 1111 1111 1111', 'card'],
    ['5500005555555559', 'card'],
    [jwt, 'token'],
    ['mimir_abcdefgh_0123456789', 'token'],
  ] as const
  for (const [secret, kind] of secrets) {
    const lines = logged((log) => {
      log.info({ note: `of ${secret}, it is` }, `about ${secret}`)
      log.error({ err: new Error(`no\n${secret}\tthere`) }, 'failed')
      log.warn({ deep: { deeper: { deepest: [secret] } } })
    })
    const records = lines.map((line) => JSON.parse(line))
    assert.ok(!lines.join('').includes(secret), `${secret}\n${lines.join('')}`)
    const tags = lines.join('').match(new RegExp(`\\[${kind}:[0-9a-f]{8}\\]`, 'g'))
    assert.ok(tags && tags.length >= 4, lines.join(''))
    assert.equal(new Set(tags).size, 1, 'equal values have an equal tag')
    assert.match(records[1].err.message, /^no\n\[/, 'an escape is not cut in two')
  }
  const [url = '', query = '', header = ''] = logged((log) => {
    log.info('postgres://mimir:hunter2@db.example.org/mimir')
    log.info('GET /hubs/dm?id=1&access_token=s3cr3t&x=2')
    log.info('Authorization: Bearer abc.def-ghi')
  })
  assert.match(url, /mimir:\[password:\w+\]@db/)
  assert.match(query, /access_token=\[parameter:\w+\]&x=2/)
  assert.ok(!header.includes('abc.def-ghi'))
})

test('ids, times and counts stay readable', () => {
  const record = {
    userId: '01926e0c-1111-7222-8333-444455556666',
    at: '2026-11-26T18:00:00.123Z',
    size: 1234567890123,
    version: '1.2.3',
    operation: 'GET /api/messages/{conversationId}',
  }
  const [line = ''] = logged((log) => log.info(record, 'a sentence: with, marks (and 42 more)'))
  const { level: _, time: __, msg, ...rest } = JSON.parse(line)
  assert.deepEqual(rest, record)
  assert.equal(msg, 'a sentence: with, marks (and 42 more)')
})

test('no credential of a whole life on the server appears in its log', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const dm = await alice.dm(bob)
  const hub = await alice.connect()
  const text = 'what nobody else may read'
  await hub.invoke('SendMessage', dm, text)
  const { refreshToken } = await alice.signIn()
  const refreshed = assertDone(await mimir.rest().post('/api/auth/refresh', { refreshToken }))
  await mimir.rest().post('/api/auth/refresh', { refreshToken: 'not-a-token-at-all' })
  await mimir.rest().post('/api/auth/login', { usernameOrEmail: 'alice', password: 'wr0ng-pass' })
  await mimir.rest().send('POST', '/api/auth/login', '{"password":"half-a-b0dy')
  const { token } = await mimir.command('invite.create')
  await mimir.rest().get(`/join/${token}`)
  await alice.rest.post('/api/auth/change-password', {
    currentPassword: alice.password,
    newPassword: 'another-l0ng-one',
  })
  // An internal error with all the sensitive values that might be logged with it.
  const { db } = mimir.app.ctx
  await db.transaction((tx) =>
    tx
      .updateTable('messages')
      .set({ sealed: Buffer.from('x') })
      .execute(),
  )
  const again = assertDone(
    await mimir.rest().post('/api/auth/login', {
      usernameOrEmail: 'alice',
      password: 'another-l0ng-one',
    }),
  )
  assertDone(await mimir.rest(again.accessToken).get(`/api/messages/${dm}`))
  await mimir.restart()
  const log = mimir.logged.join('')
  assert.match(log, /a message cannot be decrypted/)
  const secrets = {
    accessToken: alice.accessToken,
    refreshToken,
    successor: refreshed.refreshToken,
    password: alice.password,
    wrong: 'wr0ng-pass',
    half: 'half-a-b0dy',
    new: 'another-l0ng-one',
    invitation: token,
    text,
    email: 'alice@example.org',
    friendKey: await bob.friendKey(),
  }
  for (const [what, secret] of Object.entries(secrets)) assert.ok(!log.includes(secret), what)
})
