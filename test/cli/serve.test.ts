import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../harness/eventually.ts'
import { HubClient } from '../harness/hub.ts'
import { joinAs, post, Sandbox, STOP_MS, signIn, statusOf } from './harness.ts'

const JOIN_LINK = /^http:\/\/\S+\/join\/(\S+)$/m

test('init makes a closed data directory and its administrator, once', async () => {
  await using sandbox = new Sandbox()
  const made = (await sandbox.init()).json
  assert.deepEqual(Object.keys(made).sort(), ['admin', 'created', 'dataDir', 'next', 'publicUrl'])
  assert.deepEqual([made.created, made.dataDir], [true, sandbox.dataDir])
  assert.deepEqual([made.admin.username, made.admin.email], ['root', 'root@example.org'])
  assert.equal(made.next, `mimir serve --data-dir ${sandbox.dataDir}`)
  assert.equal(statSync(sandbox.dataDir).mode & 0o777, 0o700)
  const keys = readdirSync(join(sandbox.dataDir, 'keys'))
  assert.equal(keys.length, 5)
  for (const name of keys) {
    assert.equal(statSync(join(sandbox.dataDir, 'keys', name)).mode & 0o777, 0o600)
  }
  const again = (await sandbox.init()).json
  assert.deepEqual([again.created, again.admin], [false, made.admin])
  const served = await sandbox.serve()
  await signIn(served.url, 'root')
})

test('init makes no second administrator, and changes nothing when it is asked to', async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const eve = ['--admin-username', 'eve', '--admin-email', 'eve@example.org']
  const args = ['init', ...eve, '--admin-password-stdin', '--public-url', 'https://eve.example']
  const refused = await sandbox.run(args, { stdin: 'the password of eve' })
  refused.assertRefused('admin_exists')
  assert.match(refused.stderr, /root is already the administrator.*`mimir user promote eve`/)
  assert.doesNotMatch(readFileSync(join(sandbox.dataDir, 'mimir.env'), 'utf8'), /eve/)
  assert.equal((await sandbox.run(['user', 'list', '--json'])).json.length, 1)
})

test('a server made by init refuses common passwords, from its administrator’s on; others stay as they are', async () => {
  await using sandbox = new Sandbox()
  const who = ['--admin-username', 'ada', '--admin-email', 'ada@example.org']
  const args = ['init', ...who, '--admin-password-stdin']
  ;(await sandbox.run(args, { stdin: 'password' })).assertRefused('password_too_common')
  assert.equal((await sandbox.run(args, { stdin: 'not a common one' })).status, 0)
  const settings = join(sandbox.dataDir, 'mimir.env')
  assert.equal(readFileSync(settings, 'utf8'), 'MIMIR_REFUSE_COMMON_PASSWORDS=true\n')
  writeFileSync(settings, '')
  assert.equal((await sandbox.run(['init'])).status, 0)
  assert.equal(readFileSync(settings, 'utf8'), '')

  await using other = new Sandbox()
  const env = { MIMIR_REFUSE_COMMON_PASSWORDS: 'false' }
  assert.equal((await other.run(args, { env, stdin: 'password' })).status, 0)
  assert.equal(existsSync(join(other.dataDir, 'mimir.env')), false)
})

test('init keeps the public URL and refuses bad values before it makes anything', async () => {
  await using sandbox = new Sandbox()
  const bad = await sandbox.run(['init', '--public-url', 'chat.example.org'])
  bad.assertRefused('bad_setting')
  const who = ['--admin-username', 'x', '--admin-email', 'y', '--admin-password-stdin']
  const weak = await sandbox.run(['init', ...who], { stdin: 'short' })
  weak.assertRefused('validation_failed')
  assert.match(weak.stderr, /--admin-username.*--admin-email.*password/)
  ;(await sandbox.run(['init', ...who.slice(0, 4)])).assertRefused('no_terminal')
  assert.equal(existsSync(sandbox.dataDir), false)

  const url = 'https://chat.example.org/mimir'
  const made = (await sandbox.run(['init', '--public-url', url, '--json'])).json
  assert.deepEqual([made.publicUrl, made.admin], [url, null])
  assert.match(made.next, /^mimir init .*--admin-username/)
  const invitation = (await sandbox.run(['invite', 'create', '--json'])).json
  assert.equal(invitation.url, `${url}/join/${invitation.token}`)
  assert.equal((await sandbox.run(['init', '--public-url', 'https://other.example'])).status, 0)
  const settings = readFileSync(join(sandbox.dataDir, 'mimir.env'), 'utf8')
  assert.equal(
    settings,
    'MIMIR_REFUSE_COMMON_PASSWORDS=true\nMIMIR_PUBLIC_URL=https://other.example\n',
  )
})

test('the bootstrap administrator of the settings is made by init and by serve', async () => {
  const env = {
    ADMIN_BOOTSTRAP_USERNAME: 'boss',
    ADMIN_BOOTSTRAP_EMAIL: 'boss@example.org',
    ADMIN_BOOTSTRAP_PASSWORD: 'the password of boss',
  }
  await using first = new Sandbox()
  assert.equal((await first.run(['init', '--json'], { env })).json.admin.username, 'boss')
  await using second = new Sandbox()
  await signIn((await second.serve([], env)).url, 'boss')
})

test('init reaches a server that runs already', async () => {
  await using sandbox = new Sandbox()
  const served = await sandbox.serve()
  await eventually(() => served.stderr.includes('no administrator yet'), 'the hint did not come')
  assert.equal((await sandbox.init()).json.admin.username, 'root')
  await signIn(served.url, 'root')
})

test('serve says once where it listens and gives a link until somebody has joined', async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const first = await sandbox.serve()
  const link = await eventually(() => JOIN_LINK.exec(first.stdout), 'no link was printed')
  assert.equal(first.stdout.match(/listening on http:\/\/127\.0\.0\.1:\d+$/gm)?.length, 1)
  assert.equal(await first.stop(), 0)

  const second = await sandbox.serve()
  const next = await eventually(() => JOIN_LINK.exec(second.stdout), 'no link was printed')
  assert.equal((await fetch(`${second.url}/join/${link[1]}`)).ok, false)
  assert.equal((await fetch(`${second.url}/join/${next[1]}`)).ok, true)
  await joinAs(sandbox, second.url, 'ada')
  assert.equal(await second.stop(), 0)

  const third = await sandbox.serve()
  await joinAs(sandbox, third.url, 'bob')
  assert.doesNotMatch(third.stdout, JOIN_LINK)
  assert.equal(await third.stop(), 0)

  const fourth = await sandbox.serve(['--invitation', '--json'])
  const said = JSON.parse(fourth.stdout)
  assert.equal(said.message, `listening on ${said.url}`)
  assert.equal((await fetch(`${said.url}/join/${said.invitation.token}`)).ok, true)
})

test('one server holds a data directory, and says which process it is', async () => {
  await using sandbox = new Sandbox()
  const served = await sandbox.serve()
  const second = await sandbox.run(['serve', '--listen', '127.0.0.1:0'])
  second.assertRefused('data_directory_in_use')
  assert.match(second.stderr, new RegExp(`mimir serve \\(process ${served.child.pid}\\)`))
  assert.equal(statSync(join(sandbox.dataDir, 'control.sock')).mode & 0o777, 0o600)
})

test('an address that is taken is told', async () => {
  await using sandbox = new Sandbox()
  const other = createServer().listen(0, '127.0.0.1')
  await eventually(() => other.listening, 'no port')
  const { port } = other.address() as AddressInfo
  const refused = await sandbox.run(['serve', '--quiet', '--listen', `127.0.0.1:${port}`], {
    env: { MIMIR_METRICS_LISTEN: 'off' },
  })
  other.close()
  refused.assertRefused('EADDRINUSE')
  assert.match(refused.stderr, new RegExp(`127\\.0\\.0\\.1:${port}`))
})

test('a taken address for metrics is told by its name; the default one is a warning', async () => {
  await using sandbox = new Sandbox()
  const other = createServer().listen(0, '127.0.0.1')
  await eventually(() => other.listening, 'no port')
  const { port } = other.address() as AddressInfo
  const env = { MIMIR_METRICS_LISTEN: `127.0.0.1:${port}` }
  const refused = await sandbox.run(['serve', '--quiet', '--listen', '127.0.0.1:0'], { env })
  other.close()
  refused.assertRefused('bad_setting')
  assert.match(refused.stderr, /MIMIR_METRICS_LISTEN: .*choose another address, or off/)
  assert.doesNotMatch(refused.stderr, /--listen/)
  // Whatever already holds the port: the first server, or another program on this machine.
  await sandbox.serve()
  await using second = new Sandbox()
  const { stderr } = await second.serve(['--quiet'])
  assert.match(stderr, /"level":"warn".*no metrics: the port is in use/)
})

test('a start behind a proxy that is not trusted is warned of', async () => {
  await using sandbox = new Sandbox()
  const MIMIR_PUBLIC_URL = 'https://chat.example.org'
  const first = await sandbox.serve([], { MIMIR_PUBLIC_URL })
  assert.match(first.stderr, /"level":"warn".*MIMIR_TRUSTED_PROXIES is not set/)
  const invitation = /Invitation for one person, valid until the server restarts, \d{4}-/
  await eventually(() => invitation.test(first.stdout), 'no invitation was printed')
  await first.stop()
  const second = await sandbox.serve([], {
    MIMIR_PUBLIC_URL,
    MIMIR_TRUSTED_PROXIES: '127.0.0.1,::1',
  })
  assert.doesNotMatch(second.stderr, /MIMIR_TRUSTED_PROXIES/)
})

test('SIGTERM lets clients go and ends with status 0 in time', async () => {
  await using sandbox = new Sandbox()
  const served = await sandbox.serve()
  const token = await joinAs(sandbox, served.url, 'ada')
  const hub = await new HubClient(served.url, token).start()
  const asked = Date.now()
  assert.equal(await served.stop('SIGTERM'), 0)
  assert.ok(Date.now() - asked < STOP_MS)
  await eventually(() => hub.closed, 'the connection stayed open')
  assert.equal(existsSync(join(sandbox.dataDir, 'control.sock')), false)
})

test('a killed server starts again with everything it had acknowledged', async () => {
  await using sandbox = new Sandbox()
  const first = await sandbox.serve()
  await joinAs(sandbox, first.url, 'ada')
  assert.equal(await first.stop('SIGKILL'), null)
  assert.equal((await sandbox.run(['user', 'list', '--json'])).json.length, 1)
  const second = await sandbox.serve()
  await signIn(second.url, 'ada')
  assert.equal(await second.stop(), 0)
})

test('suspending somebody closes their hub connection at once', async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const served = await sandbox.serve()
  const token = await joinAs(sandbox, served.url, 'ada')
  const hub = await new HubClient(served.url, token).start()
  const suspended = (await sandbox.run(['user', 'suspend', 'ada', '--json'])).json
  assert.equal(suspended.status, 'Suspended')
  await eventually(() => hub.closed, 'the connection stayed open')
  assert.notEqual(await statusOf(`${served.url}/api/me`, token), 200)
})

test('tokens of the key before still verify, and no longer once it is retired', async () => {
  await using sandbox = new Sandbox()
  const served = await sandbox.serve()
  const token = await joinAs(sandbox, served.url, 'ada')
  const [old] = (await sandbox.run(['key', 'list', '--json'])).json.filter(
    ({ purpose }: { purpose: string }) => purpose === 'jwt',
  )
  const key = (await sandbox.run(['key', 'rotate', 'jwt', '--json'])).json
  assert.deepEqual([key.purpose, key.current], ['jwt', true])
  assert.equal(await statusOf(`${served.url}/api/me`, token), 200)
  const newer = await signIn(served.url, 'ada')
  assert.equal((await sandbox.run(['key', 'retire', old.id, '--yes'])).status, 0)
  assert.equal(await statusOf(`${served.url}/api/me`, token), 401)
  assert.equal(await statusOf(`${served.url}/api/me`, newer), 200)
})

test('a key that messages are sealed with cannot be retired', async () => {
  await using sandbox = new Sandbox()
  const served = await sandbox.serve([], { MIMIR_RATE_LIMITS: 'off' })
  const [ada, bob] = [
    await joinAs(sandbox, served.url, 'ada'),
    await joinAs(sandbox, served.url, 'bob'),
  ]
  const get = async (path: string, token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    // biome-ignore lint/suspicious/noExplicitAny: the answer's shape is another test's.
    return (await (await fetch(served.url + path, { headers })).json()) as any
  }
  const { friendKey, id } = await get('/api/me', bob)
  const asked = await post(`${served.url}/api/friends/requests`, { friendKey }, ada)
  const request = (await asked.json()) as { id: string }
  await post(`${served.url}/api/friends/requests/${request.id}/accept`, {}, bob)
  const opened = { type: 'Dm', memberIds: [id] }
  const dm = (await (await post(`${served.url}/api/conversations`, opened, ada)).json()) as {
    id: string
  }
  const sent = await post(`${served.url}/api/messages/${dm.id}`, { content: 'sealed' }, ada)
  assert.equal(sent.status, 201)

  const keys = (await sandbox.run(['key', 'list', '--json'])).json
  const old = keys.find(({ purpose }: { purpose: string }) => purpose === 'message')
  assert.equal((await sandbox.run(['key', 'rotate', 'message', '--json'])).json.current, true)
  ;(await sandbox.run(['key', 'retire', old.id, '--yes'])).assertRefused('key_in_use')
  assert.match(JSON.stringify(await get(`/api/messages/${dm.id}`, bob)), /"sealed"/)
})

test('a damaged database is refused and not written to', async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const file = join(sandbox.dataDir, 'mimir.db')
  const bytes = readFileSync(file)
  bytes.fill(0xaa, 4096, 4096 * 6)
  writeFileSync(file, bytes)
  for (const args of [['serve'], ['user', 'list'], ['db', 'check'], ['db', 'status']]) {
    const refused = await sandbox.run(args)
    refused.assertRefused('damaged_store')
    assert.ok(refused.stderr.includes(file))
  }
  const check = await sandbox.run(['db', 'check', '--json'])
  assert.equal(check.status, 1)
  assert.equal(JSON.parse(check.stdout).ok, false)
  assert.ok(readFileSync(file).equals(bytes), 'the file was changed')
})

test('a PostgreSQL that is not there is told in a line, without its password', async () => {
  await using sandbox = new Sandbox()
  const env = { DATABASE_URL: 'postgres://mimir:hidden@127.0.0.1:1/mimir' }
  for (const args of [['serve'], ['init']]) {
    const refused = await sandbox.run(args, { env })
    refused.assertRefused('store_unavailable')
    assert.match(refused.stderr, /does not answer: .*ECONNREFUSED.*start it, or check DATABASE_URL/)
    assert.doesNotMatch(refused.stderr, /hidden|whether the change was made/)
  }
})
