import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

/** Runs the sources, on the runtime of the test. */
export const FROM_SOURCE: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../cli/main.ts', import.meta.url)),
]

/** `mimir serve` in a process of its own, which can be killed. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  output = ''
  url = ''

  /** `command` starts `mimir`: `FROM_SOURCE`, or the executable's path. */
  constructor(command: readonly string[], dataDir: string, env: Record<string, string>) {
    const [program = '', ...args] = command
    const { PATH = '', HOME = '' } = process.env
    const serve = ['serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0']
    this.#child = spawn(program, [...args, ...serve], { env: { PATH, HOME, ...env } })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
  }

  /** Resolves once it accepts connections. */
  async ready(): Promise<this> {
    this.url = await eventually(() => {
      if (this.#child.exitCode !== null) throw new Error('it ended')
      return /listening on (http:\/\/[\d.]+:\d+)/.exec(this.output)?.[1]
    }, 'the server did not start').catch((error: unknown) => {
      throw new Error(`${error}\n${this.output}`)
    })
    return this
  }

  /** Sends the signal at once; resolves when the process has exited. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill(signal)
    await gone
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill('SIGKILL')
  }
}
