import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'

/** Debian's turnserver on loopback only, with a configuration that `mimir turn config` prints. */
export class Coturn implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mimir-coturn-'))
  readonly #program: string
  #child: ChildProcess | undefined
  /** Output since the last start. */
  log = ''

  constructor(program: string) {
    this.#program = program
  }

  /** Restarts with the configuration; resolves once it accepts requests. */
  async start(config: string): Promise<this> {
    await this.stop()
    const file = join(this.#folder, 'turnserver.conf')
    writeFileSync(file, config)
    // Addresses and log options belong to the test environment and not to the printed configuration.
    const args = [
      '-c',
      file,
      '--listening-ip=127.0.0.1',
      '--relay-ip=127.0.0.1',
      '--log-file=stdout',
    ]
    const places = [
      `--pidfile=${join(this.#folder, 'pid')}`,
      `--userdb=${join(this.#folder, 'db')}`,
    ]
    this.log = ''
    const child = spawn(this.#program, [...args, ...places, '--relay-threads=1', '--verbose'])
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.log += text
      })
    }
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`it ended:\n${this.log}`)
      return this.log.includes('Total General servers')
    }, 'coturn did not start')
    return this
  }

  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
