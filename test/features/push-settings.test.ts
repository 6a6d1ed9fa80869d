import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError, loadConfig } from '../../src/config/load.ts'
import { FcmServer } from '../harness/push-services.ts'

/** The problems that make the start fail with this environment. */
function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig({ dataDir: '/nowhere', env })
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

test('a bad Firebase file stops the start with a line that names it and quotes nothing of it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mimir-firebase-'))
  const path = join(folder, 'firebase.json')
  const env = { FIREBASE_SERVICE_ACCOUNT_PATH: path }
  try {
    const [missing, ...none] = problemsOf(env)
    assert.match(missing ?? '', /^FIREBASE_SERVICE_ACCOUNT_PATH: .*firebase\.json cannot be read/)
    assert.deepEqual(none, [])
    for (const content of [
      'a secret',
      '{"a": "secret"',
      '{}',
      '{"type":"a secret"}',
      '[]',
      'null',
    ]) {
      writeFileSync(path, content)
      const [line, ...more] = problemsOf(env)
      assert.match(line ?? '', /^FIREBASE_SERVICE_ACCOUNT_PATH: .*firebase\.json is /, content)
      assert.ok(!line?.includes('secret'), content)
      assert.deepEqual(more, [])
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('FCM is elsewhere on this machine only', async () => {
  await using fcm = await new FcmServer().start()
  assert.deepEqual(problemsOf(fcm.env), [])
  for (const endpoint of [
    'https://example.org',
    'http://10.0.0.1:1',
    'http://127.0.0.1.example.org',
  ]) {
    const [line] = problemsOf({ ...fcm.env, MIMIR_FCM_ENDPOINT: endpoint })
    assert.match(line ?? '', /^MIMIR_FCM_ENDPOINT: only for tests/, endpoint)
  }
})

test('what outgoing requests may reach is checked entry by entry, and the subject is an address', () => {
  assert.deepEqual(problemsOf({ MIMIR_OUTBOUND_ALLOW: 'ntfy.lan, 10.0.0.0/8,::1,fd00::/8' }), [])
  // An incomplete prefix must not become 0, which would allow every network.
  const broken = ['10.0.0.0/', '10.0.0.0/1e1', '10.0.0.0/8/8', 'fe80::1%eth0/64']
  for (const bad of [...broken, '10.0.0.0/33', 'http://x', 'a b', '1.2.3.4/x', 'host/8']) {
    assert.match(problemsOf({ MIMIR_OUTBOUND_ALLOW: bad })[0] ?? '', /^MIMIR_OUTBOUND_ALLOW: /, bad)
  }
  assert.match(problemsOf({ MIMIR_VAPID_SUBJECT: 'me' })[0] ?? '', /^MIMIR_VAPID_SUBJECT: /)
  const { config } = loadConfig({ dataDir: '/x', env: { MIMIR_PUBLIC_URL: 'https://a.org/b' } })
  assert.equal(config.push.vapidSubject, 'mailto:postmaster@a.org')
})
