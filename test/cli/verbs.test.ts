import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { joinAs, post, Sandbox, type Served, signIn } from './harness.ts'

/** Each person costs two password hashes. */
const SETUP = { timeout: 60_000 }

for (const running of [false, true]) {
  describe(running ? 'commands to a running server' : 'commands without a server', () => {
    let sandbox: Sandbox
    let served: Served | undefined
    const run = (...args: string[]) => sandbox.run(args)

    before(async () => {
      sandbox = new Sandbox()
      await sandbox.init()
      const env = { TURN_HOST: 'turn.example.org', MIMIR_RATE_LIMITS: 'off' }
      served = await sandbox.serve([], env)
      const tokens: string[] = []
      for (const name of ['ada', 'bob', 'cyd']) tokens.push(await joinAs(sandbox, served.url, name))
      await reportMessage(served.url, tokens[0] as string, tokens[1] as string)
      for (const name of ['dan', 'eve', 'fay']) await register(sandbox, served.url, name)
      if (!running) await served.stop()
    }, SETUP)
    after(() => sandbox[Symbol.asyncDispose]())

    /** Runs the command with and without `--json`; returns the JSON document. */
    async function both(...args: string[]) {
      const people = await run(...args)
      assert.equal(people.status, 0, people.stderr)
      assert.throws(() => JSON.parse(people.stdout))
      return (await run(...args, '--json')).json
    }

    test('init again changes nothing', async () => {
      const again = await both('init')
      assert.equal(again.created, false)
      assert.equal(again.dataDir, sandbox.dataDir)
      assert.equal(again.admin.username, 'root')
      // Only a server that is not running has yet to be started.
      const { stderr } = await run('init')
      assert.equal(stderr.includes('Next: mimir serve'), !running, stderr)
    })

    test('bot', async () => {
      assert.deepEqual(await both('bot', 'list'), [])
    })

    test('invite', async () => {
      assert.match((await run('invite', 'create')).stdout, /^http:\/\/localhost:\d+\/join\/\S+\n$/)
      const made = (await run('invite', 'create', '--note', 'for Zoe', '--expires', '2w', '--json'))
        .json
      assert.deepEqual(Object.keys(made).sort(), ['expiresAt', 'id', 'token', 'url'])
      assert.equal((await run('invite', 'create', '--count', '3', '--json')).json.length, 3)
      assert.match((await run('invite', 'create', '--qr')).stdout, /█▀|▄█/)
      const listed = await both('invite', 'list')
      const found = listed.find(({ id }: { id: string }) => id === made.id)
      assert.equal(found.note, 'for Zoe')
      ;(await run('invite', 'revoke', made.id)).assertRefused('needs_yes')
      ;(await run('invite', 'revoke', made.id, '--json')).assertRefused('needs_yes')
      assert.deepEqual((await run('invite', 'revoke', made.id, '--yes', '--json')).json, {
        id: made.id,
      })
      ;(await run('invite', 'revoke', made.id, '--yes')).assertRefused('already_expired')
    })

    test('user list and show', async () => {
      const users = await both('user', 'list')
      assert.equal(users.length, 7)
      const waiting = (await run('user', 'list', '--status', 'PendingAdmin', '--json')).json
      assert.ok(waiting.every(({ status }: { status: string }) => status === 'PendingAdmin'))
      const ada = await both('user', 'show', 'ada')
      assert.equal((await run('user', 'show', 'ADA@example.org', '--json')).json.id, ada.id)
      assert.equal((await run('user', 'show', ada.id, '--json')).json.username, 'ada')
      ;(await run('user', 'show', 'nobody')).assertRefused('user_not_found')
    })

    test('user approve, reject and review', async () => {
      assert.equal((await run('user', 'approve', 'dan', '--json')).json.status, 'Active')
      ;(await run('user', 'approve', 'dan')).assertRefused('user_not_pending')
      ;(await run('user', 'reject', 'eve')).assertRefused('needs_yes')
      assert.equal((await run('user', 'reject', 'eve', '--yes', '--json')).json.status, 'Suspended')
      ;(await run('user', 'review')).assertRefused('no_terminal')
      const [fay] = (await run('user', 'approve', '--all', '--json')).json
      assert.deepEqual([fay.username, fay.status], ['fay', 'Active'])
      assert.equal(
        (await run('user', 'approve', '--all')).stdout,
        'Nobody is waiting for approval.\n',
      )
    })

    test('user suspend and reinstate', async () => {
      const suspended = await both('user', 'suspend', 'bob', '--reason', 'spam')
      assert.equal(suspended.status, 'Suspended')
      assert.equal((await run('user', 'reinstate', 'bob', '--json')).json.status, 'Active')
      ;(await run('user', 'reinstate', 'bob')).assertRefused('user_not_suspended')
    })

    test('user promote and demote', async () => {
      assert.equal((await both('user', 'promote', 'ada')).role, 'admin')
      assert.equal((await both('user', 'demote', 'ada')).role, 'member')
      ;(await run('user', 'demote', 'root')).assertRefused('last_admin')
    })

    test('user sessions, revoke-sessions and reset-password', async () => {
      assert.equal((await both('user', 'sessions', 'cyd')).length, 1)
      ;(await run('user', 'revoke-sessions', 'cyd')).assertRefused('needs_yes')
      assert.deepEqual((await run('user', 'revoke-sessions', 'cyd', '--yes', '--json')).json, {
        revoked: 1,
      })
      ;(await run('user', 'reset-password', 'cyd')).assertRefused('needs_yes')
      const reset = (await run('user', 'reset-password', 'cyd', '--yes', '--json')).json
      assert.equal(reset.account.username, 'cyd')
      assert.ok(reset.password.length >= 12)
      const args = ['user', 'reset-password', 'cyd', '--yes', '--password-stdin', '--json']
      const given = (await sandbox.run(args, { stdin: 'the password of cyd\n' })).json
      assert.equal(given.password, undefined)
      if (running) await signIn(served?.url ?? '', 'cyd')
      const empty = await sandbox.run(args)
      empty.assertRefused('no_password')
    })

    test('key', async () => {
      const key = (await run('key', 'rotate', 'refresh', '--json')).json
      const keys = await both('key', 'list')
      const of = (id: string) => keys.find((one: { id: string }) => one.id === id)
      assert.equal(of(key.id).current, true)
      assert.ok(!JSON.stringify(keys).includes('"key"'))
      assert.equal(statSync(join(sandbox.dataDir, 'keys', `${key.id}.key`)).mode & 0o777, 0o600)
      ;(await run('key', 'retire', key.id)).assertRefused('needs_yes')
      ;(await run('key', 'retire', key.id, '--yes')).assertRefused('key_in_use')
      ;(await run('key', 'retire', 'refresh-000000000000', '--yes')).assertRefused('key_not_found')
      const older = keys.find(
        (one: { purpose: string; current: boolean }) => one.purpose === 'refresh' && !one.current,
      )
      assert.deepEqual((await run('key', 'retire', older.id, '--yes', '--json')).json, {
        id: older.id,
      })
    })

    test('turn', async () => {
      const { secret } = await both('turn', 'secret')
      assert.match(secret, /^[0-9a-f]{64}$/)
      const next = (await run('turn', 'secret', '--rotate', '--json')).json.secret
      assert.notEqual(next, secret)
      const { config } = await both('turn', 'config')
      for (const one of [secret, next]) assert.ok(config.includes(`static-auth-secret=${one}\n`))
      const args = ['turn', 'credentials', 'ada', '--ttl', '10m', '--json']
      const env = { TURN_HOST: 'turn.example.org' }
      const made = (await sandbox.run(args, { env })).json
      assert.ok(Math.abs(made.expiresAt - Date.now() / 1000 - 600) < 30)
      assert.equal((await sandbox.run(args.slice(0, -1), { env })).status, 0)
    })

    test('mls', async () => {
      assert.deepEqual(await both('mls', 'list'), [])
      assert.deepEqual(await both('mls', 'devices', 'ada'), [])
      assert.deepEqual(await both('mls', 'compact'), { conversations: 0, messages: 0 })
      ;(await run('mls', 'show', 'nothing')).assertRefused('ConvoNotFound')
      ;(await run('mls', 'devices', 'nobody')).assertRefused('user_not_found')
    })

    test('push', async () => {
      assert.deepEqual(await both('push', 'test', 'ada'), [])
      ;(await run('push', 'test', 'nobody')).assertRefused('user_not_found')
    })

    test('report', async () => {
      const [report, ...more] = await both('report', 'list')
      assert.deepEqual(more, [])
      assert.deepEqual([report.reporterUsername, report.senderUsername], ['bob', 'ada'])
      assert.match((await run('report', 'list')).stdout, /rude\ufffd/)
      const older = ['report', 'list', '--before', report.id]
      assert.equal((await run(...older)).stdout, 'No open reports.\n')
      const { id } = report
      assert.deepEqual((await run('report', 'resolve', id, '--json')).json, { id })
      ;(await run('report', 'resolve', id)).assertRefused('not_found')
      ;(await run('report', 'resolve', 'x')).assertRefused('validation_failed')
      const closed = await both('report', 'list', '--resolved')
      assert.deepEqual([closed[0].id, closed[0].resolvedById], [id, null])
    })

    test('db', async () => {
      const status = await both('db', 'status')
      assert.equal(status.engine, 'sqlite')
      assert.deepEqual([status.pending, status.unknown], [[], []])
      assert.ok(status.applied.length > 0)
      assert.deepEqual((await both('db', 'migrate')).migrated, [])
      const check = await both('db', 'check')
      assert.deepEqual([check.ok, check.damage], [true, []])
    })
  })
}

/** Makes two people friends; one sends a message that the other reports. */
async function reportMessage(url: string, sender: string, reporter: string): Promise<void> {
  const ask = async (path: string, token: string, body: object = {}) => {
    const reply = await post(`${url}${path}`, body, token)
    assert.ok(reply.ok, `${path} ${reply.status}`)
    return reply.status === 204 ? {} : JSON.parse(await reply.text())
  }
  const headers = { authorization: `Bearer ${reporter}` }
  const me = JSON.parse(await (await fetch(`${url}/api/me`, { headers })).text())
  const { id } = await ask('/api/friends/requests', sender, { friendKey: me.friendKey })
  await ask(`/api/friends/requests/${id}/accept`, reporter)
  const dm = await ask('/api/conversations', sender, { type: 'Dm', memberIds: [me.id] })
  const said = await ask(`/api/messages/${dm.id}`, sender, { content: 'something bad' })
  // A reason must not send control sequences to the terminal that lists it.
  await ask(`/api/messages/${said.id}/report`, reporter, { reason: 'rude\u001b' })
}

async function register(sandbox: Sandbox, url: string, name: string): Promise<void> {
  const { token } = (await sandbox.run(['invite', 'create', '--json'])).json
  const reply = await post(`${url}/api/auth/register`, {
    invitationToken: token,
    username: name,
    email: `${name}@example.org`,
    password: `the password of ${name}`,
  })
  assert.equal(reply.status, 200, await reply.text())
}
