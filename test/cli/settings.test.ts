import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Sandbox } from './harness.ts'

const SECRET = 'a key that nobody may ever read here'

test('every mistake in the settings is told, each in a line, and nothing starts', async () => {
  await using sandbox = new Sandbox()
  const env = { MIMIR_LISTN: '127.0.0.1:1', JWT_KEY: 'short', CRYPTO_MESSAGE_KEY: 'short' }
  for (const args of [['serve'], ['config', 'check'], ['init']]) {
    const { status, stdout, stderr } = await sandbox.run(args, { env })
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^mimir: MIMIR_LISTN: .*did you mean MIMIR_LISTEN\? \(bad_setting\)$/m)
    assert.match(stderr, /^mimir: JWT_KEY: at least 32 characters \(bad_setting\)$/m)
    assert.match(stderr, /^mimir: CRYPTO_MESSAGE_KEY: 32 bytes in base64 \(bad_setting\)$/m)
    assert.equal(stderr.trim().split('\n').length, 3)
  }
})

test('rate limits can be off on a loopback listener only', async () => {
  await using sandbox = new Sandbox()
  const env = { MIMIR_RATE_LIMITS: 'off' }
  const refused = await sandbox.run(['serve', '--listen', '0.0.0.0:0'], { env })
  refused.assertRefused('bad_setting')
  assert.match(refused.stderr, /MIMIR_RATE_LIMITS/)
  await sandbox.serve([], env)
})

test('config show prints every setting and no secret', async () => {
  await using sandbox = new Sandbox()
  mkdirSync(sandbox.dataDir)
  writeFileSync(join(sandbox.dataDir, 'mimir.env'), 'JWT_ISSUER=somebody\n')
  const env = { JWT_KEY: SECRET, SMTP_PORT: '2525' }
  const shown = await sandbox.run(['config', 'show', '--json'], { env })
  const find = (name: string) =>
    shown.json.settings.find((setting: { name: string }) => setting.name === name)
  assert.equal(shown.json.dataDir, sandbox.dataDir)
  assert.deepEqual([find('JWT_KEY').value, find('JWT_KEY').source], ['(set)', 'environment'])
  assert.equal(find('TURN_SECRET').value, '(not set)')
  assert.deepEqual([find('SMTP_PORT').value, find('SMTP_PORT').source], [2525, 'environment'])
  assert.deepEqual([find('JWT_ISSUER').value, find('JWT_ISSUER').source], ['somebody', 'mimir.env'])
  assert.equal(find('MIMIR_LISTEN').source, 'default')
  assert.equal(find('MIMIR_PUBLIC_URL').value, null)
  const people = await sandbox.run(['config', 'show'], { env })
  assert.match(people.stdout, /^JWT_KEY +\(set\) +environment +signs access tokens/m)
  assert.ok(!`${shown.stdout}${people.stdout}`.includes(SECRET))
})

test('config check accepts good settings and answers names of earlier systems', async () => {
  await using sandbox = new Sandbox()
  const env = { MIMIR_JWT_SECRET: 'something' }
  const good = await sandbox.run(['config', 'check'], { env })
  assert.equal(good.status, 0)
  assert.match(good.stderr, /MIMIR_JWT_SECRET is not used here: use JWT_KEY/)
  const families = [
    'MIMIR_DEV_USER_ANNA',
    'MIMIR_VAULT_ADDR',
    'MIMIR_ENABLE_PII_DETECTION',
    'MIMIR_ENABLE_IDS',
    'MIMIR_WAZUH_AGENT_KEY',
    'MIMIR_FISMA_LEVEL',
  ]
  const many = Object.fromEntries(families.map((name) => [name, 'x']))
  const answered = await sandbox.run(['config', 'check'], { env: many })
  assert.equal(answered.status, 0)
  for (const name of families)
    assert.match(answered.stderr, new RegExp(`${name} is not used here: `))
  assert.equal((await sandbox.run(['config', 'check', '--json'])).json.ok, true)
  const bad = await sandbox.run(['config', 'check', '--json'], { env: { JWT_KEY: 'short' } })
  assert.equal(bad.status, 1)
  assert.deepEqual(JSON.parse(bad.stdout).problems, ['JWT_KEY: at least 32 characters'])
  const missing = await sandbox.run(['config', 'check', '--config', 'nowhere.env'])
  missing.assertRefused('bad_setting')
})

test('a line of mimir.env that says nothing is a problem with its number', async () => {
  await using sandbox = new Sandbox()
  mkdirSync(sandbox.dataDir)
  const file = join(sandbox.dataDir, 'mimir.env')
  const good = ['# a comment', '', 'export JWT_ISSUER=somebody', '  SMTP_PORT = 2525  # why', '']
  const quoted = ['JWT_AUDIENCE="two', 'lines = one value" # why', "SMTP_USER='#1'", 'SMTP_HOST=']
  writeFileSync(file, [...good, ...quoted].join('\r\n'), { mode: 0o600 })
  assert.equal((await sandbox.run(['config', 'check'])).status, 0)

  const bad = ['MIMIR_LISTEN: 0.0.0.0:80', 'SMTP_PASSWORD hunter2', '=5', 'JWT_ISSUER="a" b']
  writeFileSync(file, [...good, ...bad, 'SMTP_USER="open', 'x=1'].join('\n'), { mode: 0o600 })
  const { status, stderr } = await sandbox.run(['serve'])
  assert.equal(status, 1)
  const lines = [...stderr.matchAll(/mimir\.env, line (\d+): (.*) \(bad_setting\)/g)]
  assert.deepEqual(
    lines.map(([, line]) => Number(line)),
    [6, 7, 8, 9, 10],
  )
  assert.match(String(lines[3]?.[2]), /follows the quote/)
  assert.match(String(lines[4]?.[2]), /not closed/)
  assert.doesNotMatch(stderr, /hunter2/)
})

test('a port that is none is told by the option that said it, a strange name without a far one', async () => {
  await using sandbox = new Sandbox()
  const port = await sandbox.run(['serve', '--listen', '127.0.0.1:99999'])
  port.assertRefused('bad_setting')
  assert.match(port.stderr, /MIMIR_LISTEN.*HOST:PORT.*65535/)
  const env = { MIMIR_NOSUCH: '1', MIMIR_PUBLICURL: 'x', SMTP_PORT: 'smtp' }
  const names = await sandbox.run(['config', 'check'], { env })
  assert.match(names.stderr, /MIMIR_NOSUCH: no such setting; `mimir config show` lists/)
  assert.match(names.stderr, /MIMIR_PUBLICURL: .*did you mean MIMIR_PUBLIC_URL\?/)
  assert.match(names.stderr, /SMTP_PORT: a whole number from 1 to 65535/)
})

test('keys that others can read stop the start, and one command closes them all', async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const keys = join(sandbox.dataDir, 'keys')
  for (const name of readdirSync(keys)) chmodSync(join(keys, name), 0o644)
  const refused = await sandbox.run(['user', 'list'])
  refused.assertRefused('bad_key_file')
  const [, mend = ''] = /: (chmod 600 \S+) \(/.exec(refused.stderr) ?? []
  execFileSync('sh', ['-c', mend])
  assert.equal((await sandbox.run(['user', 'list'])).status, 0)
})

test('a start warns of settings, a store and a directory that are open to others', async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const settings = join(sandbox.dataDir, 'mimir.env')
  const store = join(sandbox.dataDir, 'mimir.db')
  writeFileSync(settings, 'SMTP_USER=somebody\n', { mode: 0o600 })
  const closed = await sandbox.serve()
  assert.doesNotMatch(closed.stderr, /by others/)
  await closed.stop()
  for (const file of [settings, store, sandbox.dataDir]) chmodSync(file, 0o777)
  const { stderr } = await sandbox.serve()
  for (const file of [settings, store]) {
    assert.ok(stderr.includes(`${file} can be read by others: chmod 600 ${file}`), stderr)
  }
  assert.ok(stderr.includes(`${sandbox.dataDir} can be changed by others: chmod 700 `), stderr)
})
