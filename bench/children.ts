import type { Subprocess } from 'bun'

/** How long a child may take to end after SIGTERM; `mimir serve` promises 10 s. */
const TERM_GRACE_MS = 10_000

const running = new Set<Subprocess>()

export interface Child {
  readonly pid: number
  readonly exited: Promise<number>
  /** The last lines of its output, for error messages. */
  lastLines(): string
  /** Sends SIGTERM, then SIGKILL if that does not help; resolves to the exit status. */
  stop(): Promise<number>
}

export interface ChildOptions {
  readonly env?: Record<string, string>
  readonly cwd?: string
  readonly stdin?: string
  /** Called with every complete line of stdout and stderr. */
  onLine?(line: string): void
}

/** Starts a child process that ends with this process, however this process ends. */
export function startChild(command: readonly string[], options: ChildOptions = {}): Child {
  const tail: string[] = []
  const child = Bun.spawn([...command], {
    ...(options.env ? { env: options.env } : {}),
    ...(options.cwd ? { cwd: options.cwd } : {}),
    stdin: options.stdin === undefined ? 'ignore' : new Blob([options.stdin]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  running.add(child)
  const onLine = (line: string) => {
    tail.push(line)
    if (tail.length > 20) tail.shift()
    options.onLine?.(line)
  }
  const drained = Promise.all([readLines(child.stdout, onLine), readLines(child.stderr, onLine)])
  const exited = child.exited.then(async (status) => {
    running.delete(child)
    await drained
    return status
  })
  return {
    pid: child.pid,
    exited,
    lastLines: () => tail.join('\n'),
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), TERM_GRACE_MS)
      const status = await exited
      clearTimeout(timer)
      return status
    },
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  }
  if (rest) onLine(rest)
}

/** Ends every remaining child by its own pid. */
export async function stopChildren(): Promise<void> {
  const left = [...running]
  for (const child of left) child.kill('SIGTERM')
  const patience = Bun.sleep(3_000).then(() => {
    for (const child of left) if (child.exitCode === null) child.kill('SIGKILL')
  })
  await Promise.race([patience, Promise.all(left.map((child) => child.exited))])
}

/** On SIGINT and SIGTERM: ends the children, runs `cleanUp` and exits. */
export function endWithChildren(cleanUp: () => void = () => {}): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void stopChildren().finally(() => {
        cleanUp()
        process.exit(1)
      })
    })
  }
}
