import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Appliance } from './boot.ts'
import { eventually } from './eventually.ts'
import { freePorts } from './ports.ts'

/** A real reverse proxy in front of an appliance, serving https on a free loopback port. */
export abstract class ReverseProxy implements AsyncDisposable {
  protected readonly folder = mkdtempSync(join(tmpdir(), 'mimir-proxy-'))
  #child: ChildProcess | undefined
  /** Its standard error output. */
  protected said = ''
  /** Reserved before it starts, so that the appliance's public URL can name it. */
  port = 0
  /** For http, where the proxy serves that too. */
  plainPort = 0

  async reserve(): Promise<this> {
    ;[this.port = 0, this.plainPort = 0] = await freePorts(2)
    // Its workers may run as a user other than root and must reach their own folders.
    chmodSync(this.folder, 0o755)
    return this
  }

  protected abstract run(mimir: Appliance): Promise<ChildProcess>

  /** Resolves once it forwards to the appliance. */
  async start(mimir: Appliance): Promise<void> {
    const child = await this.run(mimir)
    this.#child = child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.said += text
    })
    const started = eventually(() => {
      if (child.exitCode !== null) throw new Error(`it ended:\n${this.said}`)
      return fetch(`https://127.0.0.1:${this.port}/`).catch(() => undefined)
    }, 'the proxy did not start')
    await started.catch((cause: Error) => {
      throw new Error(`${cause.message}; it said:\n${this.said}`, { cause })
    })
  }

  /** Everything it has logged. */
  logged(): string {
    return this.said
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}
