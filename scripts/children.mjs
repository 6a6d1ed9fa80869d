// Processes that end with this one, however it ends, together with everything that they started.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const running = new Set()

process.on('exit', endAll)

/** Like `spawn` of `child_process`, but as the leader of a process group of its own. */
export function start(command, args, options) {
  const child = spawn(command, args, { ...options, detached: process.platform !== 'win32' })
  running.add(child)
  child.once('error', () => running.delete(child))
  child.once('close', () => running.delete(child))
  return child
}

/** Kills the child and everything in its process group. */
export function end(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // There are no process groups on Windows, or the whole group is gone.
    child.kill('SIGKILL')
  }
}

function endAll() {
  for (const child of running) end(child)
}

/**
 * At a signal that asks for it, and when nobody reads the output any more (`npm test | head`): kills the
 * children, waits for `cleanUp` and exits.
 */
export function exitEarly(cleanUp) {
  const stop = async (signal) => {
    const cleaned = cleanUp()
    endAll()
    await cleaned
    process.exit(128 + constants.signals[signal])
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
  // Node ignores SIGPIPE and reports a failed write instead.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => stop('SIGPIPE'))
}
