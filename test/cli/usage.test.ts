import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Sandbox } from './harness.ts'

describe('the command line', () => {
  let sandbox: Sandbox
  before(() => {
    sandbox = new Sandbox()
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const wrong: [string, string[]][] = [
    ['an unknown command', ['frobnicate']],
    ['an unknown verb', ['user', 'frobnicate']],
    ['an unknown option', ['user', 'list', '--frobnicate']],
    ['a missing argument', ['user', 'show']],
    ['one argument too many', ['user', 'show', 'ada', 'bob']],
    ['a missing value', ['invite', 'create', '--note']],
    ['a purpose that no key has', ['key', 'rotate', 'door']],
    ['a status that nobody has', ['user', 'list', '--status', 'Happy']],
    ['a duration that is none', ['invite', 'create', '--expires', 'soon']],
    ['nobody and not everybody', ['user', 'approve']],
    ['somebody and everybody', ['user', 'approve', 'ada', '--all']],
    ['half an administrator', ['init', '--admin-username', 'root']],
    ['a shell that is not completed', ['completion', 'tcsh']],
    ['options that contradict each other', ['version', '--quiet', '--verbose']],
  ]
  for (const [name, args] of wrong) {
    test(`refuses ${name} with status 2`, async () => {
      ;(await sandbox.runBare(args)).assertWrongUsage()
    })
  }

  test('says how it is used when nothing is asked for', async () => {
    for (const args of [[], ['user']]) {
      const { status, stdout, stderr } = await sandbox.runBare(args)
      assert.equal(status, 2)
      assert.equal(stdout, '')
      assert.match(stderr, /^Usage: mimir/)
    }
  })

  test('shows examples in every help', async () => {
    for (const args of [[], ['invite', 'create'], ['user', 'suspend'], ['db', 'check']]) {
      const { status, stdout } = await sandbox.runBare([...args, '--help'])
      assert.equal(status, 0)
      assert.match(stdout, /Examples:\n {2}\$ mimir /)
      assert.match(stdout, /--data-dir/)
    }
  })

  test('tells its exit statuses, and what `help` is asked for', async () => {
    const help = await sandbox.runBare(['--help'])
    assert.match(help.stdout, /^Exit status: 0 done, 1 refused or failed.*, 2 wrong usage\.$/m)
    assert.equal((await sandbox.runBare(['help'])).stdout, help.stdout)
    assert.equal((await sandbox.runBare(['help'])).status, 0)
    assert.match((await sandbox.runBare(['help', 'user'])).stdout, /^Usage: mimir user/)
  })

  test('with --json a failure is a document on standard output, and a line for people', async () => {
    const failures: [args: string[], status: number, code: string][] = [
      [['user', 'list'], 1, 'no_server'],
      [['--json', 'serve', '--listen', 'nowhere'], 1, 'bad_setting'],
      [['frobnicate'], 2, 'wrong_usage'],
      [['user', 'show', 'ada', 'bob'], 2, 'wrong_usage'],
      [['user'], 2, 'wrong_usage'],
    ]
    for (const [args, status, code] of failures) {
      const failed = await sandbox.runBare([...args, '--json', '--data-dir', sandbox.dataDir])
      assert.equal(failed.status, status, failed.stderr)
      const { error, message, ...more } = JSON.parse(failed.stdout)
      assert.deepEqual([error, more], [code, {}])
      assert.ok(message.length > 10 && !message.includes('\n'), message)
      assert.notEqual(failed.stderr, '')
    }
  })

  test('tells its version', async () => {
    const { version, commit, runtime } = (await sandbox.runBare(['version', '--json'])).json
    assert.match(version, /^\d+\.\d+\.\d+$/)
    assert.ok(commit === null || /^[0-9a-f]{12}/.test(commit))
    assert.match(runtime, /^(bun|node) \d+/)
    assert.equal((await sandbox.runBare(['--version'])).stdout, `${version}\n`)
    assert.match((await sandbox.runBare(['version'])).stdout, new RegExp(`^mimir ${version}`))
  })

  test('completes nouns, verbs and options in every shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { status, stdout } = await sandbox.runBare(['completion', shell])
      assert.equal(status, 0)
      for (const word of ['invite', 'revoke-sessions', 'PendingAdmin', 'message', 'rotate']) {
        assert.ok(stdout.includes(word), `${shell}: ${word}`)
      }
      assert.match(stdout, /(--|-l )password-stdin/)
    }
  })

  test('does not make a server by looking for one', async () => {
    ;(await sandbox.run(['user', 'list'])).assertRefused('no_server')
    ;(await sandbox.run(['db', 'status'])).assertRefused('no_server')
  })
})

test('a bash that has loaded the completion offers what may follow', async () => {
  await using sandbox = new Sandbox()
  const { stdout } = await sandbox.runBare(['completion', 'bash'])
  const complete = (...words: string[]) => {
    const script = `${stdout}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mimir; echo "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' }).trim()
  }
  assert.equal(complete('mimir', 'inv'), 'invite')
  assert.equal(complete('mimir', 'user', 'app'), 'approve')
  assert.equal(complete('mimir', '--data-dir', 'D', 'key', 'rotate', 'm'), 'message')
  assert.equal(
    complete('mimir', 'user', 'list', '--status', 'Pending'),
    'PendingEmail PendingAdmin',
  )
  assert.equal(complete('mimir', 'turn', 'config', '--js'), '--json')
  assert.equal(complete('mimir', 'apikey', 'create', '--snippet', ''), 'cursor claude vscode')
})

test('a zsh that has loaded the completion offers what may follow', {
  skip: !existsSync('/usr/bin/zsh') && 'this machine has no zsh, which is optional',
}, async () => {
  await using sandbox = new Sandbox()
  const script = (await sandbox.runBare(['completion', 'zsh'])).stdout
  // The functions of its completion system, which only work while somebody types.
  const stubs =
    'compdef() {}; compadd() { shift; print -l -- "$@"; }; _describe() { print -l -- "$found[@]"; }'
  const complete = (...words: string[]) => {
    const asked = `words=("$@"); CURRENT=$#; _mimir`
    const args = ['-f', '-c', `${stubs}\n${script}\n${asked}`, 'zsh', ...words]
    return execFileSync('/usr/bin/zsh', args, { encoding: 'utf8' })
  }
  assert.match(complete('mimir', ''), /^invite:/m)
  assert.match(complete('mimir', 'user', ''), /^approve:approve a registered user$/m)
  assert.match(complete('mimir', '--data-dir', 'D', 'key', 'rotate', ''), /^message:/m)
  const statuses = complete('mimir', 'user', 'list', '--status', '')
  assert.match(statuses, /^PendingEmail$/m)
})

test('a fish that has loaded the completion offers what may follow', {
  skip: !existsSync('/usr/bin/fish') && 'this machine has no fish, which is optional',
}, async () => {
  await using sandbox = new Sandbox()
  const file = join(sandbox.folder, 'mimir.fish')
  writeFileSync(file, (await sandbox.runBare(['completion', 'fish'])).stdout)
  const complete = (line: string) => {
    const env = { ...process.env, HOME: sandbox.folder }
    const args = ['-N', '-c', `source ${file}; complete -C '${line}'`]
    return execFileSync('/usr/bin/fish', args, { encoding: 'utf8', env })
  }
  assert.match(complete('mimir inv'), /^invite\t/)
  assert.match(complete('mimir user app'), /^approve\tapprove a registered user$/m)
  assert.match(complete('mimir --data-dir D key rotate m'), /^message\t/)
  assert.match(complete('mimir user list --status Pending'), /^PendingAdmin\t/)
})
