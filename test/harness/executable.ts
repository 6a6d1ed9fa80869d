import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START_MS = 20_000

/** The path of `dist/mimir`, built first if it does not exist. */
export function executable(): string {
  const path = join(ROOT, 'dist', 'mimir')
  if (!existsSync(path)) execFileSync('node', [join(ROOT, 'scripts', 'build.mjs')])
  return path
}

/** `mimir serve` from the executable, in its own process. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  #output = ''
  url = ''

  constructor(dataDir: string, env: Record<string, string>) {
    const args = ['serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0']
    const { PATH = '', HOME = '' } = process.env
    this.#child = spawn(executable(), args, { env: { PATH, HOME, ...env } })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
      })
    }
  }

  /** Resolves once it accepts connections. */
  async ready(): Promise<this> {
    const found = await eventually(
      () => {
        if (this.#child.exitCode !== null) throw new Error(`it ended:\n${this.#output}`)
        return /listening on (http:\/\/[\d.]+:\d+)/.exec(this.#output)
      },
      'the server did not start',
      START_MS,
    )
    this.url = found[1] as string
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
