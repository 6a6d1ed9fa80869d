import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../harness/eventually.ts'
import { HubClient } from '../harness/hub.ts'
import { joinAs, Sandbox, type Served, statusOf } from './harness.ts'

const SETUP = { timeout: 60_000 }
const ROLES = JSON.stringify({
  version: '1.0',
  claimPath: 'groups',
  roleMappings: { analysts: { permissions: ['users:read'] } },
})

for (const running of [false, true]) {
  describe(running ? 'access, by a running server' : 'access, without a server', () => {
    let sandbox: Sandbox
    let served: Served | undefined
    const run = (...args: string[]) => sandbox.run(args, { env: { MIMIR_RBAC_CONFIG: ROLES } })

    before(async () => {
      sandbox = new Sandbox()
      await sandbox.init()
      if (running) served = await sandbox.serve([], { MIMIR_RBAC_CONFIG: ROLES })
    }, SETUP)
    after(() => sandbox[Symbol.asyncDispose]())

    test('apikey', async () => {
      const create = ['apikey', 'create', '--name', 'backup-bot']
      const shown = await run(...create)
      assert.match(shown.stdout, /^mimir_[a-z0-9]{8}_\S{43}_\w{6}\n$/)
      assert.match(shown.stderr, /shown only once.*backup_bot/)
      const options = ['--scope', 'messages:read', '--scope', 'calls:*', '--address', '127.0.0.1']
      const made = (await run(...create, ...options, '--expires', '2w', '--json')).json
      assert.deepEqual(made.scopes, ['messages:read', 'calls:use'])
      assert.equal(made.key.split('_')[1], made.id)
      const days = (Date.parse(made.expiresAt) - Date.now()) / 86_400_000
      assert.ok(days > 13.9 && days < 14.1, String(days))
      const endless = (await run(...create, '--expires', 'never', '--json')).json
      assert.equal(endless.expiresAt, null)
      const hers = await run('apikey', 'create', '--name', 'mine', '--user', 'root', '--json')
      assert.equal(hers.json.owner.username, 'root')
      const client = ['--user', 'root', '--snippet', 'cursor', '--json']
      const forClient = (await run(...create, ...client)).json
      assert.deepEqual(forClient.scopes, ['mcp:read', 'mcp:write'])
      ;(await run(...create, '--scope', 'messages:all')).assertRefused('validation_failed')
      ;(await run(...create, '--scope', 'tenants:manage')).assertRefused('scopes_too_wide')
      ;(await run('apikey', 'create')).assertWrongUsage()
      ;(await run(...create, '--expires', 'soon')).assertWrongUsage()

      assert.match((await run('apikey', 'list')).stdout, /backup_bot.*never/)
      assert.equal((await run('apikey', 'list', '--json')).json.length, 5)
      const rotated = (await run('apikey', 'rotate', made.id, '--overlap', '2h', '--json')).json
      assert.equal(rotated.previous.id, made.id)
      ;(await run('apikey', 'rotate', made.id)).assertRefused('key_not_active')
      ;(await run('apikey', 'revoke', made.id)).assertRefused('needs_yes')
      assert.equal(
        (await run('apikey', 'revoke', made.id, '--yes', '--json')).json.status,
        'revoked',
      )
      ;(await run('apikey', 'revoke', 'nosuchid', '--yes')).assertRefused('not_found')
    })

    test('subject', async () => {
      const issuer = ['--issuer', 'https://idp.example.org']
      ;(await run('subject', 'link', 'root', 'abc')).assertRefused('no_issuer')
      const linked = await run('subject', 'link', 'a job', 'abc', '--service', ...issuer, '--json')
      assert.equal(linked.json.username, 'a_job')
      ;(await run('subject', 'link', 'root', 'abc', ...issuer)).assertRefused('subject_taken')
      assert.match((await run('subject', 'list')).stdout, /a_job +abc +https:/)
      assert.equal((await run('subject', 'unlink', 'abc', ...issuer, '--yes', '--json')).status, 0)
      ;(await run('subject', 'unlink', 'abc', ...issuer, '--yes')).assertRefused(
        'subject_not_found',
      )
    })

    test('user grant, ungrant, roles and demote', async () => {
      const roles = (await run('user', 'grant', 'root', 'analysts', '--json')).json
      assert.deepEqual([roles.role, roles.granted], ['owner', ['analysts']])
      ;(await run('user', 'grant', 'root', 'admin')).assertRefused('unknown_role')
      assert.match((await run('user', 'roles', 'root')).stdout, /granted: +analysts/)
      assert.equal((await run('user', 'ungrant', 'root', 'analysts')).status, 0)
      ;(await run('user', 'ungrant', 'root', 'analysts')).assertRefused('role_not_granted')
      ;(await run('user', 'demote', 'root', '--guest')).assertRefused('last_admin')
    })

    test('a bad role file is a bad setting', async () => {
      if (running) await served?.stop()
      const env = { MIMIR_RBAC_CONFIG: join(sandbox.folder, 'nowhere.json') }
      for (const args of [['config', 'check'], ['serve'], ['user', 'list']]) {
        ;(await sandbox.run(args, { env })).assertRefused('bad_setting')
      }
    })
  })
}

test('SIGHUP takes the settings file over and drops nobody who is still good', SETUP, async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const settings = join(sandbox.dataDir, 'mimir.env')
  const served = await sandbox.serve()
  const { url, child } = served
  const token = await joinAs(sandbox, url, 'ann')
  const { key } = (await sandbox.run(['apikey', 'create', '--name', 'bot', '--json'])).json
  const hers = await new HubClient(url, token).start()
  const its = await new HubClient(url, key).start()
  const reload = async (text: string, said: string) => {
    const before = served.stderr.length
    writeFileSync(settings, text)
    child.kill('SIGHUP')
    await eventually(() => served.stderr.slice(before).includes(said), `it did not say ${said}`)
  }

  await reload('MIMIR_AUTH_METHODS=password,nonsense\n', 'SIGHUP changed nothing')
  assert.equal(await statusOf(`${url}/api/me`, key), 200)
  await reload('MIMIR_AUTH_METHODS=password\n', 'the access settings are in force')
  assert.equal(await statusOf(`${url}/api/me`, key), 401)
  assert.equal(await statusOf(`${url}/api/me`, token), 200)
  await eventually(() => its.closed, 'the connection of a key went on')
  assert.equal(hers.closed, false)
  await reload('', 'the access settings are in force')
  assert.equal(await statusOf(`${url}/api/me`, key), 200)
  await hers.stop()
})

test('without security the server says so, and takes no other listener', SETUP, async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const env = { MIMIR_ENABLE_SECURITY: 'false' }
  const open = await sandbox.run(['serve', '--listen', '0.0.0.0:0'], { env })
  open.assertRefused('bad_setting')
  const served = await sandbox.serve([], env)
  await eventually(() => served.stderr.includes('SECURITY IS OFF'), 'no banner')
  const me = await fetch(`${served.url}/api/me`)
  assert.equal(me.headers.get('x-mimir-security'), 'off')
  assert.equal(((await me.json()) as { username: string }).username, 'root')
})
