import { join } from 'node:path'
import type { z } from 'zod'
import type { App } from '../src/app/create-app.ts'
import { callServer } from '../src/control/client.ts'
import { Refusal, refusalOf } from './failure.ts'
import { commandLog, type Globals, holdsServer, loadSettings, requireOwner } from './globals.ts'

/** The type of a definition in a slice's `commands.ts`, which is not loaded here. */
interface AnyCommand {
  readonly input: z.ZodType
  run(...args: never[]): Promise<unknown>
}
type InputOf<C extends AnyCommand> = z.input<C['input']>
type OutputOf<C extends AnyCommand> = Awaited<ReturnType<C['run']>>

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
  async call<C extends AnyCommand>(name: string, input: InputOf<C>): Promise<OutputOf<C>> {
    const answer = this.#app ? undefined : await this.callServer<OutputOf<C>>(name, input)
    return answer ? answer.result : await this.#callHere<OutputOf<C>>(name, input)
  }

  /** Whether a running server carried out the calls so far. */
  get reachedServer(): boolean {
    return this.#app === undefined
  }

  async close(): Promise<void> {
    await this.#app?.close()
  }

  /** The running server's answer, or undefined if none runs. */
  async callServer<O>(command: string, input: unknown): Promise<{ result: O } | undefined> {
    // Found by the directory alone: the settings in this shell may differ from the server's.
    const socket = join(this.#globals.dataDir, 'control.sock')
    const response = await callServer(socket, { command, input })
    if (response === undefined) return undefined
    if (!response.ok) throw refusalOf(response.error, response.message, response.details)
    return { result: response.result as O }
  }

  async #callHere<O>(name: string, input: unknown): Promise<O> {
    if (!this.#mayCreate) requireServer(this.#globals)
    this.#app ??= await openApp(this.#globals)
    const { AppError } = await import('../src/platform/errors.ts')
    try {
      return (await this.#app.command(name, input)) as O
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

/** Runs one command, typed by its definition: `order<typeof showUserCommand>(…)`. */
export function order<C extends AnyCommand>(
  globals: Globals,
  name: string,
  input: InputOf<C>,
): Promise<OutputOf<C>> {
  return connected(globals, (connection) => connection.call<C>(name, input))
}

/** Throws a `Refusal` if there is no server, which opening the store would otherwise create. */
export function requireServer({ dataDir }: Globals): void {
  if (holdsServer(dataDir)) return
  const mend = 'create one with `mimir init`, or set its directory with --data-dir'
  throw new Refusal(`there is no server in ${dataDir}: ${mend}`, 'no_server')
}

async function openApp(globals: Globals): Promise<App> {
  requireOwner(globals)
  const { config } = await loadSettings(globals)
  const { createApp } = await import('../src/app/create-app.ts')
  return createApp({ config, log: await commandLog(globals), purpose: globals.purpose })
}
