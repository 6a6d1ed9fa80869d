import { closeSync, openSync } from 'node:fs'
import type { Logger } from '../platform/log.ts'

/** Below the ten seconds that a stop may take, with a margin for a slow disk. */
const CLOSE_DEADLINE_MS = 9000

/** Resolves at the first SIGTERM or SIGINT. A second signal ends the process at once, with status 1. */
export function stopRequested(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false
    const ask = (signal: NodeJS.Signals) => {
      if (asked) process.exit(1)
      asked = true
      resolve(signal)
    }
    process.on('SIGTERM', ask)
    process.on('SIGINT', ask)
  })
}

/**
 * Calls `reload` on every SIGHUP, one at a time; `reload` must handle its own errors. A server started in
 * a terminal still ends when the terminal closes, which sends the same signal.
 */
export function onReloadRequested(reload: () => Promise<void>): void {
  const isInTerminal = process.stdin.isTTY === true
  let turn = Promise.resolve()
  process.on('SIGHUP', () => {
    if (isInTerminal && isTerminalGone()) process.kill(process.pid, 'SIGTERM')
    else turn = turn.then(reload)
  })
}

function isTerminalGone(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return false
  } catch {
    return true
  }
}

/** Closes, then exits with the status, or with 1 if closing failed or took too long. */
export async function closeAndExit(
  log: Logger,
  close: () => Promise<void>,
  status: number,
): Promise<never> {
  setTimeout(() => {
    log.error('the shutdown took too long; acknowledged data is safe')
    process.exit(1)
  }, CLOSE_DEADLINE_MS)
  try {
    await close()
  } catch (error) {
    log.error({ err: error }, 'the shutdown was not clean')
    process.exit(1)
  }
  process.exit(status)
}

/** An uncaught error leaves the process in an unknown state: logs it, closes and exits with status 1. */
export function exitOnDefect(log: Logger, close: () => Promise<void>): void {
  let failed = false
  const fail = (error: unknown) => {
    log.fatal({ err: error }, 'an unexpected error ends the server')
    if (failed) return
    failed = true
    void closeAndExit(log, close, 1)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
}
