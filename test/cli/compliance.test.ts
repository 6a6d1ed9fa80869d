import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../harness/eventually.ts'
import { unzip } from '../harness/zip.ts'
import { joinAs, Sandbox, type Served } from './harness.ts'

const SETUP = { timeout: 60_000 }

for (const running of [false, true]) {
  describe(running ? 'with a running server' : 'without a server', () => {
    let sandbox: Sandbox
    let served: Served
    const run = (...args: string[]) => sandbox.run(args)

    before(async () => {
      sandbox = new Sandbox()
      await sandbox.init()
      served = await sandbox.serve([], { MIMIR_RATE_LIMITS: 'off', MIMIR_METRICS_LISTEN: 'off' })
      for (const name of ['ada', 'bob']) await joinAs(sandbox, served.url, name)
      if (!running) await served.stop()
    }, SETUP)
    after(() => sandbox[Symbol.asyncDispose]())

    test('audit tail, verify and export, and an export that verifies by itself', async () => {
      // Events are chained within five seconds, and at shutdown.
      const checked = async () => (await run('audit', 'verify', '--json')).json.checked > 5
      await eventually(checked, 'nothing was chained')
      assert.match((await run('audit', 'tail', '--lines', '5')).stdout, /^TIME +EVENT +OUTCOME/)
      const tail = (await run('audit', 'tail', '--lines', '3', '--json')).json
      assert.equal(tail.length, 3)
      assert.match((await run('audit', 'verify')).stdout, /verified: none was changed/)
      ;(await run('audit', 'tail', '--lines', 'x')).assertWrongUsage()

      const { status, stdout, stderr } = await run('audit', 'export')
      assert.equal(status, 0, stderr)
      const file = join(sandbox.folder, 'audit.jsonl')
      writeFileSync(file, stdout)
      const lines = stdout.trimEnd().split('\n')
      const verified = (await run('audit', 'verify', '--file', file, '--json')).json
      assert.equal(verified.broken, undefined)
      assert.equal(verified.checked + verified.checkpoints, lines.length)
      const wrong = join(sandbox.folder, 'wrong.jsonl')
      writeFileSync(wrong, stdout.replace(/"outcome":"allow"/, '"outcome":"deny"'))
      const broken = await run('audit', 'verify', '--file', wrong, '--quiet')
      broken.assertRefused('audit_broken')
      const { id } = JSON.parse(lines.find((line) => line.includes('"outcome":"allow"')) ?? '')
      assert.ok(broken.stderr.includes(id), broken.stderr)
      writeFileSync(wrong, 'no export\n')
      ;(await run('audit', 'verify', '--file', wrong, '--quiet')).assertRefused('bad_file')

      const keys = (await run('key', 'list', '--json')).json as { publicKey?: string }[]
      const [signer = ''] = keys.flatMap(({ publicKey }) => publicKey ?? [])
      const other = Buffer.alloc(32, 1).toString('base64url')
      const verifyBy = (...given: string[]) =>
        run('audit', 'verify', '--file', file, ...given.flatMap((key) => ['--key', key]))
      assert.equal((await verifyBy(signer)).status, 0)
      assert.equal((await verifyBy(other, signer)).status, 0)
      ;(await verifyBy(other)).assertRefused('unknown_signer')
      ;(await verifyBy('AAAA')).assertWrongUsage()
      ;(await run('audit', 'verify', '--key', signer)).assertWrongUsage()
    })

    test('retention show, run and holds', async () => {
      const shown = (await run('retention', 'show', '--json')).json
      const dry = (await run('retention', 'run', '--dry-run', '--json')).json
      assert.deepEqual(dry, shown)
      assert.ok(shown.some((row: { class: string; days: number }) => row.days === 365))
      ;(await run('retention', 'run')).assertRefused('needs_yes')
      assert.match((await run('retention', 'run', '--yes')).stdout, /^DATA +KEPT FOR +DELETED/)
      const hold = await run('retention', 'hold', 'user:ada', '--reason', 'case 1', '--json')
      const { id } = hold.json
      ;(await run('user', 'erase', 'ada', '--now', '--yes')).assertRefused('under_legal_hold')
      assert.match((await run('retention', 'holds')).stdout, /case 1/)
      assert.equal((await run('retention', 'lift', id, '--yes', '--json')).json.id, id)
      ;(await run('retention', 'lift', id, '--yes')).assertRefused('hold_not_found')
      ;(await run('retention', 'hold', 'ada', '--reason', 'x')).assertWrongUsage()
    })

    test('incident open, list and close', async () => {
      const { id } = (await run('incident', 'open', 'a key was lost', '--json')).json
      assert.match((await run('incident', 'list')).stdout, /a key was lost/)
      const closing = ['incident', 'close', id, '--conclusion', 'it was found']
      assert.equal((await run(...closing)).status, 0)
      ;(await run(...closing)).assertRefused('incident_not_found')
    })

    test('user export writes a zip for its owner alone, and never over another file', async () => {
      const to = join(sandbox.folder, 'bob.zip')
      const result = (await run('user', 'export', 'bob', '--to', to, '--json')).json
      assert.equal(result.size, statSync(to).size)
      assert.equal(statSync(to).mode & 0o777, 0o600)
      const files = await unzip(readFileSync(to))
      assert.equal(JSON.parse(String(files.get('account.json')))[0].username, 'bob')
      ;(await run('user', 'export', 'bob', '--to', to)).assertRefused('bad_file')
      ;(await run('user', 'export', 'nobody', '--to', `${to}2`)).assertRefused('user_not_found')
    })

    test('user erase waits seven days, or does it at once', async () => {
      ;(await run('user', 'erase', 'ada')).assertRefused('needs_yes')
      const later = (await run('user', 'erase', 'ada', '--yes', '--json')).json
      const days = (Date.parse(later.dueAt) - Date.now()) / 86_400_000
      assert.ok(days > 6.9 && days <= 7)
      ;(await run('user', 'erase', 'root', '--now', '--yes')).assertRefused('last_admin')
      assert.equal((await run('user', 'erase', 'ada', '--now', '--yes')).status, 0)
      ;(await run('user', 'show', 'ada')).assertRefused('user_not_found')
    })

    test('lockdown closes the server, and --lift opens it', async () => {
      ;(await run('lockdown')).assertRefused('needs_yes')
      assert.equal((await run('lockdown', '--yes', '--json')).json.mode, 'closed')
      if (running) {
        const login = { method: 'POST', body: '{}' }
        const reply = await fetch(`${served.url}/api/auth/login`, login)
        assert.equal(reply.status, 503)
      }
      assert.equal((await run('lockdown', '--lift')).status, 0)
      ;(await run('lockdown', '--lift')).assertRefused('not_locked_down')
    })
  })
}

test('audit tail --follow shows what happens, and the stdout sink has it too', async () => {
  await using sandbox = new Sandbox()
  await sandbox.init()
  const env = { MIMIR_AUDIT_LOG_DESTINATION: 'stdout', MIMIR_METRICS_LISTEN: 'off' }
  const served = await sandbox.serve([], env)
  const following = sandbox.start(['audit', 'tail', '--follow', '--json'])
  const { id } = (await sandbox.run(['incident', 'open', 'something', '--json'])).json
  for (const out of [following, served]) {
    const line = await eventually(
      () => out.stdout.split('\n').find((one) => one.includes(id)),
      'the event did not come',
    )
    const event = JSON.parse(line)
    assert.equal(event.type, 'incident.opened')
    assert.equal(event.target.id, id)
  }
  await following.stop()
})

test('a FIPS switch and an open HIPAA server refuse to start, with the reason', async () => {
  await using sandbox = new Sandbox()
  for (const [env, reason] of [
    [{ MIMIR_FIPS_MODE_ENABLED: 'true' }, /validated under FIPS 140-3/],
    [{ MIMIR_ENABLE_HIPAA: 'true' }, /has to be https/],
    [{ MIMIR_ALERT_EMAIL: 'ops@example.org' }, /MIMIR_ALERT_EMAIL: needs a mail server/],
    [{ MIMIR_AUDIT_LOG_DESTINATION: 'webhook' }, /MIMIR_AUDIT_WEBHOOK_URL: needed/],
    [{ MIMIR_AUDIT_LOG_DESTINATION: 'pigeon' }, /pigeon is not one of/],
  ] as const) {
    const { status, stderr } = await sandbox.run(['serve'], { env })
    assert.equal(status, 1)
    assert.match(stderr, reason)
  }
})
