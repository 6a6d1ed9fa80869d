import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { eventually } from '../harness/eventually.ts'
import { MailServer } from '../harness/mail-server.ts'
import { assertDone, Rest } from '../harness/rest.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const ADMIN = { email: 'root@example.org', password: 'a long password' }

/** The server from source, on the runtime of this test run. */
async function serve(
  dataDir: string,
  env: Record<string, string>,
): Promise<{ child: ChildProcess; rest: Rest }> {
  const args = [MAIN, 'serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0']
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, args, { env: { PATH, HOME, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [, url] = await eventually(
    () => /listening on (http:\/\/[\d.]+:\d+)/.exec(output),
    'the server did not start',
  )
  return { child, rest: new Rest(url as string) }
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

test('a letter outlives kill -9 between its registration and its sending', async () => {
  await using mail = await new MailServer().start()
  mail.busy = true
  const dataDir = mkdtempSync(join(tmpdir(), 'mimir-mail-'))
  const env = {
    ...mail.env,
    ADMIN_BOOTSTRAP_EMAIL: ADMIN.email,
    ADMIN_BOOTSTRAP_PASSWORD: ADMIN.password,
  }
  let { child, rest } = await serve(dataDir, env)
  try {
    const login = { usernameOrEmail: ADMIN.email, password: ADMIN.password }
    const { accessToken } = assertDone(await rest.post('/api/auth/login', login))
    const admin = rest.with({ authorization: `Bearer ${accessToken}` })
    const { token } = assertDone(await admin.post('/api/admin/invitations'))
    const account = { invitationToken: token, username: 'ann', password: 'correct horse' }
    assertDone(await rest.post('/api/auth/register', { ...account, email: 'ann@example.org' }))
    await eventually(() => mail.offered === 1, 'the letter was not offered')
    await kill(child)
    assert.equal(mail.letters.length, 0)

    mail.busy = false
    const again = await serve(dataDir, env)
    child = again.child
    const letter = await eventually(() => mail.letters[0], 'no letter came')
    assert.equal(letter.to, 'ann@example.org')
    const token2 = await mail.token('ann@example.org')
    assertDone(await again.rest.get(`/api/auth/verify-email?token=${token2}`))
  } finally {
    await kill(child)
    rmSync(dataDir, { recursive: true, force: true })
  }
})
