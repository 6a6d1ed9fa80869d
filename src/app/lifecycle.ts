import { closeSync, openSync } from 'node:fs'
import type { Logger } from '../platform/log.ts'

/** What is left of the ten seconds in which a stop has to be done, with room for a slow disk. */
const CLOSE_DEADLINE_MS = 9000

/**
 * Resolves at the first SIGTERM or SIGINT. A second signal is an impatient person: it ends the process
 * at once, with status 1.
 */
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
 * Calls at every SIGHUP, one after another; the call looks after its own failures. A server that somebody
 * started in a terminal still ends with the terminal, which says so by the same signal.
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

/** Closes and ends the process: with the status, or with 1 when closing failed or took too long. */
export async function closeAndExit(
  log: Logger,
  close: () => Promise<void>,
  status: number,
): Promise<never> {
  setTimeout(() => {
    log.error('the stop took too long; what was acknowledged is safe')
    process.exit(1)
  }, CLOSE_DEADLINE_MS)
  try {
    await close()
  } catch (error) {
    log.error({ err: error }, 'the stop was not clean')
    process.exit(1)
  }
  process.exit(status)
}

/** A defect leaves the process in a state nobody knows: it is logged, and the process ends with 1. */
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
