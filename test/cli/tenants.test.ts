import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { post, Sandbox, type Served } from './harness.ts'

const SETUP = { timeout: 60_000 }
const ENV = {
  MIMIR_ENABLE_MULTI_TENANCY: 'true',
  MIMIR_TENANT_ID_SOURCE: 'host',
  MIMIR_PUBLIC_URL: 'http://localhost',
  MIMIR_METRICS_LISTEN: 'off',
}
const ADMIN = ['--admin-username', 'ann', '--admin-email', 'ann@acme.org', '--admin-password-stdin']
const PASSWORD = 'the password of ann'

for (const running of [false, true]) {
  describe(running ? 'tenants of a running server' : 'tenants without a server', () => {
    let sandbox: Sandbox
    let served: Served | undefined
    const run = (...args: string[]) => sandbox.run(args, { env: ENV })
    const json = async (...args: string[]) => (await run(...args, '--json')).json
    /** The status that the tenant acme's host answers. */
    const me = async () =>
      (
        await post(`http://127.0.0.1:${new URL(served?.url ?? '').port}/api/auth/login`, {
          usernameOrEmail: 'ann',
          password: PASSWORD,
        })
      ).status

    before(async () => {
      sandbox = new Sandbox()
      await sandbox.init()
      if (running) served = await sandbox.serve([], ENV)
    }, SETUP)
    after(() => sandbox[Symbol.asyncDispose]())

    const state = running ? 'serving' : 'stopped'
    const directory = () => join(sandbox.dataDir, 'tenants', 'acme')

    test('create makes a directory that is its owner’s alone, and says what is next', async () => {
      const made = await run(
        'tenant',
        'create',
        'acme',
        '--host',
        '127.0.0.1',
        '--name',
        'Acme Ltd',
      )
      assert.equal(made.status, 0, made.stderr)
      assert.match(made.stderr, /^Next: mimir --tenant acme init /)
      assert.equal(statSync(directory()).mode & 0o077, 0)
      const settings = readFileSync(join(directory(), 'mimir.env'), 'utf8')
      assert.equal(settings, 'MIMIR_PUBLIC_URL=http://127.0.0.1\n')
      ;(await run('tenant', 'create', 'acme')).assertRefused('tenant_exists')
      ;(await run('tenant', 'create', 'Acme!')).assertRefused('validation_failed')
      const tenants = await json('tenant', 'list')
      assert.deepEqual(
        tenants.map((one: Record<string, unknown>) => [one.id, one.state, one.hosts, one.name]),
        [
          ['default', state, ['localhost'], null],
          ['acme', state, ['127.0.0.1'], 'Acme Ltd'],
        ],
      )
      assert.match((await run('tenant', 'list')).stdout, /^acme +\w+ +127\.0\.0\.1 +Acme Ltd/m)
    })

    test('every command works on the tenant that --tenant or MIMIR_TENANT names', async () => {
      const init = ['--tenant', 'acme', 'init', ...ADMIN, '--json']
      const made = await sandbox.run(init, { env: ENV, stdin: `${PASSWORD}\n` })
      assert.equal(made.json.dataDir, directory())
      assert.equal(made.json.next, `mimir serve --data-dir ${sandbox.dataDir}`)
      const users = await json('--tenant', 'acme', 'user', 'list')
      assert.deepEqual(
        users.map(({ username }: { username: string }) => username),
        ['ann'],
      )
      const ours = await json('user', 'list')
      assert.deepEqual(
        ours.map(({ username }: { username: string }) => username),
        ['root'],
      )
      const named = await sandbox.run(['user', 'show', 'ann', '--json'], {
        env: { ...ENV, MIMIR_TENANT: 'acme' },
      })
      assert.equal(named.json.username, 'ann')
      const { url } = await json('--tenant', 'acme', 'invite', 'create')
      assert.match(url, /^http:\/\/127\.0\.0\.1\/join\//)
      for (const args of [
        ['audit', 'verify'],
        ['retention', 'run', '--yes'],
        ['key', 'list'],
        ['db', 'status'],
        ['db', 'check'],
        ['config', 'check'],
      ]) {
        assert.equal((await run('--tenant', 'acme', ...args)).status, 0, args.join(' '))
      }
      const { file } = await json('--tenant', 'acme', 'config', 'show')
      assert.equal(file, join(directory(), 'mimir.env'))
      if (running) assert.equal(await me(), 200)
    })

    test('a name that is no tenant’s, and orders that are the default one’s, are refused', async () => {
      for (const name of ['nobody', '../acme', 'ACME', '']) {
        const { status, stderr } = await run('--tenant', name, 'user', 'list')
        assert.equal(status, 1, name)
        assert.match(stderr, /\(tenant_not_found\)\n$/)
      }
      assert.ok(!existsSync(join(sandbox.dataDir, 'tenants', 'nobody')))
      ;(await run('--tenant', 'acme', 'tenant', 'list')).assertRefused('not_the_default_tenant')
      ;(await run('tenant', 'show', 'nobody')).assertRefused('tenant_not_found')
      ;(await run('--tenant', 'acme', 'serve')).assertRefused('tenant_named')
      ;(await run('tenant', 'change', 'acme')).assertWrongUsage()
    })

    test('change gives it other hosts', async () => {
      const changed = await json(
        'tenant',
        'change',
        'acme',
        '--host',
        'a.example.org',
        '--claim',
        'org_1',
      )
      assert.deepEqual([changed.hosts, changed.claims], [['a.example.org'], ['org_1']])
      const back = await json('tenant', 'change', 'acme', '--host', '127.0.0.1')
      assert.deepEqual([back.hosts, back.claims, back.name], [['127.0.0.1'], ['org_1'], 'Acme Ltd'])
    })

    test('disable, enable and delete take effect at once', async () => {
      ;(await run('tenant', 'disable', 'acme')).assertRefused('needs_yes')
      ;(await run('tenant', 'delete', 'acme', '--yes')).assertRefused('tenant_enabled')
      assert.equal((await json('tenant', 'disable', 'acme', '--yes')).state, 'disabled')
      if (running) assert.equal(await me(), 403)
      // Its data is still there for its administrator.
      assert.equal((await json('--tenant', 'acme', 'user', 'list')).length, 1)
      assert.equal((await json('tenant', 'enable', 'acme')).state, state)
      if (running) assert.equal(await me(), 200)
      await json('tenant', 'disable', 'acme', '--yes')
      const asked = await run('tenant', 'delete', 'acme')
      asked.assertRefused('needs_yes')
      assert.ok(asked.stderr.includes(directory()), asked.stderr)
      const gone = await run('tenant', 'delete', 'acme', '--yes')
      assert.match(gone.stdout, /^Deleted the tenant acme: removed .*acme with \d+ bytes\.\n$/)
      assert.ok(!existsSync(directory()))
      assert.equal((await json('tenant', 'list')).length, 1)
      if (running) assert.equal(await me(), 404)
      // Shutdown appends the last link of the chain, which is what gets exported.
      await served?.stop()
      const { stdout } = await run('audit', 'export')
      const types = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).type)
      const events = types.filter((type) => String(type).startsWith('tenant.'))
      assert.deepEqual(events, [
        ...['tenant.created', 'tenant.changed', 'tenant.changed', 'tenant.disabled'],
        ...['tenant.enabled', 'tenant.disabled', 'tenant.deleted'],
      ])
    })
  })
}

test('without the switch there are no tenants', async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  ;(await sandbox.run(['tenant', 'list'])).assertRefused('multi_tenancy_off')
  ;(await sandbox.run(['tenant', 'create', 'acme'])).assertRefused('multi_tenancy_off')
  ;(await sandbox.run(['--tenant', 'acme', 'user', 'list'])).assertRefused('tenant_not_found')
  assert.ok(!existsSync(join(sandbox.dataDir, 'tenants')))
})

test('completion knows the command', async () => {
  await using sandbox = new Sandbox()
  const { stdout } = await sandbox.runBare(['completion', 'bash'])
  assert.match(stdout, /'tenant'\) words='create list show change disable enable delete /)
  assert.match(stdout, /--tenant/)
})
