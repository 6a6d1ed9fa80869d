import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../harness/eventually.ts'
import { executable } from '../harness/executable.ts'

/** The command under test: the executable, or for example `node cli/main.ts` with an absolute path. */
const COMMAND = process.env.MIMIR_TEST_CLI?.split(' ') ?? [executable()]
export const STOP_MS = 10_000

/** The result of a finished command. */
export class Finished {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string

  constructor(status: number | null, stdout: string, stderr: string) {
    this.status = status
    this.stdout = stdout
    this.stderr = stderr
  }

  /** The JSON output of a command that succeeded. */
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the shape of the result.
  get json(): any {
    assert.equal(this.status, 0, this.stderr)
    return JSON.parse(this.stdout)
  }

  /** Asserts a refusal: status 1 and one line on standard error that ends with the code. */
  assertRefused(code: string): void {
    assert.equal(this.status, 1, this.stdout + this.stderr)
    assert.match(this.stderr, new RegExp(`^mimir: [^\\n]+ \\(${code}\\)\\n$`))
  }

  assertWrongUsage(): void {
    assert.equal(this.status, 2, this.stdout + this.stderr)
    assert.match(this.stderr, /^mimir: [^\n]+\n$/)
    assert.equal(this.stdout, '')
  }
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
}

/** A running `mimir serve`. */
export class Served {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
  }

  /** The address that it reported. */
  get url(): string {
    return /listening on (http:\/\/\S+)/.exec(this.stdout)?.[1] ?? ''
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  async ready(): Promise<this> {
    const isReady = () => this.ended || this.stdout.includes('listening on ')
    await eventually(isReady, 'the server did not start')
    assert.equal(this.ended, false, this.stderr)
    return this
  }

  /** Sends the signal; returns the exit status, or null if the signal killed it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.ended) {
      const exit = once(this.child, 'exit')
      this.child.kill(signal)
      await exit
    }
    return this.child.exitCode
  }
}

/** A temporary folder for a data directory, and the commands that work on it. */
export class Sandbox implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'mimir-cli-'))
  readonly dataDir = join(this.folder, 'data')
  readonly #served: Served[] = []

  /** Runs a command to its end, adding `--data-dir`. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.runBare([...args, '--data-dir', this.dataDir], options)
  }

  async runBare(args: readonly string[], { env, stdin }: RunOptions = {}): Promise<Finished> {
    const child = this.#spawn(args, env)
    child.stdin?.on('error', () => {})
    child.stdin?.end(stdin ?? '')
    const out = new Served(child)
    const [status] = (await once(child, 'close')) as [number | null]
    return new Finished(status, out.stdout, out.stderr)
  }

  /** Sets up a server with the administrator `root`. */
  async init(): Promise<Finished> {
    const admin = ['--admin-username', 'root', '--admin-email', 'root@example.org']
    const args = ['init', ...admin, '--admin-password-stdin', '--json']
    return this.run(args, { stdin: 'the password of root\n' })
  }

  async serve(args: readonly string[] = [], env = {}): Promise<Served> {
    const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0']
    const child = this.#spawn(['serve', '--data-dir', this.dataDir, ...listen, ...args], env)
    const served = new Served(child)
    this.#served.push(served)
    return served.ready()
  }

  /** Starts a command that runs until it is stopped. */
  start(args: readonly string[]): Served {
    const started = new Served(this.#spawn([...args, '--data-dir', this.dataDir]))
    this.#served.push(started)
    return started
  }

  #spawn(args: readonly string[], env: RunOptions['env'] = {}): ChildProcess {
    const [command = '', ...before] = COMMAND
    const { PATH = '', HOME = '/' } = process.env
    return spawn(command, [...before, ...args], {
      cwd: this.folder,
      // Isolated from this process's own settings.
      env: { PATH, HOME, ...env },
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#served.map((served) => served.stop('SIGKILL')))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Creates an account with an invitation, approved; returns its access token too. */
export async function joinAs(sandbox: Sandbox, url: string, name: string) {
  const { token } = (await sandbox.run(['invite', 'create', '--json'])).json
  const password = `the password of ${name}`
  const email = `${name}@example.org`
  const account = { invitationToken: token, username: name, email, password }
  const registered = await post(`${url}/api/auth/register`, account)
  assert.equal(registered.status, 200, await registered.text())
  assert.equal((await sandbox.run(['user', 'approve', name, '--json'])).json.status, 'Active')
  return signIn(url, name)
}

export async function signIn(url: string, name: string): Promise<string> {
  const password = `the password of ${name}`
  const reply = await post(`${url}/api/auth/login`, { usernameOrEmail: name, password })
  assert.equal(reply.status, 200)
  return ((await reply.json()) as { accessToken: string }).accessToken
}

export function post(url: string, body: object, token?: string): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: {
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
  })
}

export async function statusOf(url: string, token: string): Promise<number> {
  const reply = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  await reply.arrayBuffer()
  return reply.status
}
