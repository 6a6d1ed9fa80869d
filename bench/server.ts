import { join } from 'node:path'
import { type Child, startChild } from './children.ts'
import { pinned } from './pinning.ts'

const START_TIMEOUT_MS = 20_000

export const ROOT = join(import.meta.dir, '..')

/** The size of the largest fan-out group; seeding and serving both need the setting. */
export const GROUP_SIZE = 200

/** The settings of a benchmarked server, isolated from the caller's environment. */
export function serverEnv(jwtKey: string, databaseUrl?: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '/',
    JWT_KEY: jwtKey,
    MIMIR_RATE_LIMITS: 'off',
    MIMIR_LOG_LEVEL: 'warn',
    MIMIR_GROUP_MAX_MEMBERS: String(GROUP_SIZE),
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
  }
}

export interface ServerPlan {
  readonly jwtKey: string
  readonly dataDir: string
  /** Used instead of the store in the data directory. */
  readonly databaseUrl?: string | undefined
  readonly core: number | undefined
  /** Port to listen on; 0 lets the kernel choose. */
  readonly port?: number
  /** The command before `serve`; the executable by default. */
  readonly command?: readonly string[]
}

export interface Server {
  readonly pid: number
  /** `http://HOST:PORT`. */
  readonly origin: string
  stop(): Promise<void>
}

export const executable = (): string => join(ROOT, 'dist', 'mimir')

/** Spawns a server; `onLine` gets its output. */
export function spawnServer(plan: ServerPlan, onLine?: (line: string) => void): Child {
  const serve = ['serve', '--data-dir', plan.dataDir, '--listen', `127.0.0.1:${plan.port ?? 0}`]
  const command = pinned(plan.core, [...(plan.command ?? [executable()]), ...serve])
  // The data directory's parent: a stray .env or bunfig.toml of the checkout must have no effect.
  const cwd = join(plan.dataDir, '..')
  return startChild(command, {
    env: serverEnv(plan.jwtKey, plan.databaseUrl),
    cwd,
    ...(onLine ? { onLine } : {}),
  })
}

/** Starts a server and waits until it reports its address. */
export async function startServer(plan: ServerPlan): Promise<Server> {
  const listening = Promise.withResolvers<string>()
  const child = spawnServer(plan, (line) => {
    const origin = /listening on (http:\/\/[^\s"/]+)/.exec(line)?.[1]
    if (origin) listening.resolve(origin)
  })
  const failed = (why: string) =>
    listening.reject(new Error(`the server ${why}; it said:\n${child.lastLines()}`))
  void child.exited.then((status) => failed(`ended with status ${status}`))
  const timer = setTimeout(() => failed('did not say where it listens'), START_TIMEOUT_MS)
  try {
    const origin = await listening.promise
    return {
      pid: child.pid,
      origin,
      async stop() {
        const status = await child.stop()
        if (status !== 0) {
          throw new Error(`the server stopped with status ${status}:\n${child.lastLines()}`)
        }
      },
    }
  } catch (error) {
    await child.stop()
    throw error
  } finally {
    clearTimeout(timer)
  }
}
