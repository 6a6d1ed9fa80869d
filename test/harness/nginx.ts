import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { eventually } from './eventually.ts'
import { freePorts } from './ports.ts'

const START_MS = 10_000

/** A real nginx with a site file, of which only ports and paths are others than in the file. */
export class Nginx implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mimir-nginx-'))
  readonly #program: string
  readonly #openssl: string
  #child: ChildProcess | undefined
  #log = ''
  /** Where it takes https, known before it starts. */
  port = 0
  /** Where it sends people from http to https. */
  plainPort = 0

  constructor(program: string, openssl: string) {
    this.#program = program
    this.#openssl = openssl
  }

  async reserve(): Promise<this> {
    ;[this.port = 0, this.plainPort = 0] = await freePorts(2)
    return this
  }

  /** Resolves once it takes connections for the server on the port. */
  async start(site: string, upstreamPort: number): Promise<void> {
    const { cert, key } = makeCertificate(this.#openssl, this.#folder)
    const moved = site
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${upstreamPort}`)
      .replaceAll(/^ +listen \[::\].*$/gm, '')
      .replaceAll('listen 443', `listen 127.0.0.1:${this.port}`)
      .replaceAll('listen 80', `listen 127.0.0.1:${this.plainPort}`)
      .replaceAll(/ssl_certificate \S+;/g, `ssl_certificate ${cert};`)
      .replaceAll(/ssl_certificate_key \S+;/g, `ssl_certificate_key ${key};`)
      .replaceAll('/var/log/nginx/error.log', join(this.#folder, 'error.log'))
    const file = join(this.#folder, 'nginx.conf')
    writeFileSync(file, this.#main(moved))
    // Its workers are another user than root, and have to get at their own folders.
    chmodSync(this.#folder, 0o755)
    const child = spawn(this.#program, ['-c', file, '-e', 'stderr', '-g', 'daemon off;'])
    this.#child = child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text
    })
    const url = `http://127.0.0.1:${this.plainPort}/`
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`it ended:\n${this.#log}`)
        return fetch(url, { redirect: 'manual' }).catch(() => undefined)
      },
      'nginx did not start',
      START_MS,
    )
  }

  /** As Debian's own, but for the places and the number of its processes. */
  #main(site: string): string {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${join(this.#folder, kind)};`,
    )
    return [
      `pid ${join(this.#folder, 'pid')};`,
      'worker_processes 1;',
      'events { worker_connections 256; }',
      'http {',
      `access_log ${join(this.#folder, 'access.log')};`,
      ...temporary,
      site,
      '}',
    ].join('\n')
  }

  /** Everything that it logged anywhere. */
  logged(): string {
    const files = ['access.log', 'error.log'].map((name) => join(this.#folder, name))
    const texts = files.map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : ''))
    return [this.#log, ...texts].join('')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
