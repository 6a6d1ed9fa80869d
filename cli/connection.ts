import { join } from 'node:path'
import type { CommandInput, CommandName, CommandOutput } from '../src/app/command-types.ts'
import type { App } from '../src/app/create-app.ts'
import { callServer } from '../src/control/client.ts'
import { Refusal, refusalOf } from './failure.ts'
import { commandLog, type Globals, holdsServer, loadSettings, requireOwner } from './globals.ts'

/** Runs commands in the running server, or in this process if none runs. */
export class Connection {
  readonly #globals: Globals
  readonly #mayCreate: boolean
  #app: App | undefined

  /** `mayCreate`: whether to create a server if there is none, instead of throwing a `Refusal`. */
  constructor(globals: Globals, { mayCreate = false } = {}) {
    this.#globals = globals
    this.#mayCreate = mayCreate
  }

  /** Returns the result in its JSON form. Throws a `Refusal`, or what opening the store throws. */
  async call<N extends CommandName>(name: N, input: CommandInput<N>): Promise<CommandOutput<N>> {
    const answer = this.#app ? undefined : await this.callServer(name, input)
    return answer ? answer.result : await this.#callHere(name, input)
  }

  /** Whether a running server carried out the calls so far. */
  get reachedServer(): boolean {
    return this.#app === undefined
  }

  async close(): Promise<void> {
    await this.#app?.close()
  }

  /** The running server's answer, or undefined if none runs. */
  async callServer<N extends CommandName>(
    command: N,
    input: CommandInput<N>,
  ): Promise<{ result: CommandOutput<N> } | undefined> {
    // Found by the directory alone: the settings in this shell may differ from the server's.
    const socket = join(this.#globals.dataDir, 'control.sock')
    const response = await callServer(socket, { command, input })
    if (response === undefined) return undefined
    if (!response.ok) throw refusalOf(response.error, response.message, response.details)
    return { result: response.result as CommandOutput<N> }
  }

  async #callHere<N extends CommandName>(
    name: N,
    input: CommandInput<N>,
  ): Promise<CommandOutput<N>> {
    if (!this.#mayCreate) requireServer(this.#globals)
    this.#app ??= await openApp(this.#globals)
    const { AppError } = await import('../src/platform/errors.ts')
    try {
      return await this.#app.command(name, input)
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'unavailable') throw error
      throw refusalOf(error.code, error.message, error.details)
    }
  }
}

/** Runs the work with a connection, and closes it. */
export async function connected<T>(
  globals: Globals,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = new Connection(globals)
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

/** Runs one command. */
export function call<N extends CommandName>(
  globals: Globals,
  name: N,
  input: CommandInput<N>,
): Promise<CommandOutput<N>> {
  return connected(globals, (connection) => connection.call(name, input))
}

/** Throws a `Refusal` if there is no server, which opening the store would otherwise create. */
export function requireServer({ dataDir }: Globals): void {
  if (holdsServer(dataDir)) return
  const hint = 'create one with `mimir init`, or set its directory with --data-dir'
  throw new Refusal(`there is no server in ${dataDir}: ${hint}`, 'no_server')
}

async function openApp(globals: Globals): Promise<App> {
  requireOwner(globals)
  const { config } = await loadSettings(globals)
  const { createApp } = await import('../src/app/create-app.ts')
  return createApp({ config, log: await commandLog(globals), purpose: globals.purpose })
}
