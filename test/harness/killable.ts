import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

/** `mimir serve` from source, in a process that can be killed. */
export class Killable implements AsyncDisposable {
  readonly #child: ChildProcess
  output = ''
  url = ''

  constructor(dataDir: string, env: Record<string, string>) {
    const { PATH = '', HOME = '' } = process.env
    const args = [MAIN, 'serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0']
    this.#child = spawn(process.execPath, args, { env: { PATH, HOME, ...env } })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
  }

  async ready(): Promise<this> {
    const listening = () => /listening on (http:\/\/[\d.]+:\d+)/.exec(this.output)?.[1]
    this.url = await eventually(listening, 'it did not start', 20_000).catch((error) => {
      throw new Error(`${error}\n${this.output}`)
    })
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}
