import { readFileSync } from 'node:fs'

/** USER_HZ, the unit of /proc/PID/stat: 100 on every Linux that Bun has a build for. */
const TICKS_PER_SECOND = 100

export interface CpuSeconds {
  readonly user: number
  readonly system: number
}

/** CPU seconds a process has used so far in all its threads (proc(5): utime and stime). */
export function cpuSeconds(pid: number): CpuSeconds {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command name, in brackets, may contain spaces, so fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = (field: number) => Number(fields[field - 3]) / TICKS_PER_SECOND
  return { user: ticks(14), system: ticks(15) }
}

export interface Memory {
  /** Resident bytes, including the mapped executable's pages. */
  readonly rss: number
  /** Resident bytes that belong to this process alone: heap and stacks. */
  readonly anonymous: number
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024
  return { rss: bytes('VmRSS'), anonymous: bytes('RssAnon') }
}

/** Nanoseconds a process's main thread has run, and has waited for a core while runnable. */
function schedstat(pid: number): { readonly ran: number; readonly queued: number } {
  const [ran, queued] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')
  return { ran: Number(ran), queued: Number(queued) }
}

/** Milliseconds a process's main thread has run: finer than its CPU seconds. */
export const runningMs = (pid: number): number => schedstat(pid).ran / 1e6

const queuedSeconds = (pid: number): number => schedstat(pid).queued / 1e9

/** Shares of one core. The rest was spent waiting for the disk or the other side. */
export interface CpuShares {
  readonly serverShare: number
  /** Time runnable but queued behind other processes: a figure with much of it is worth little. */
  readonly queuedShare: number
  /** The generator is this process: near 1, it is the limit. */
  readonly generatorShare: number
}

export interface CpuWindow {
  readonly seconds: number
  /** CPU seconds of the server in the window, and the kernel's part of them. */
  readonly serverCpu: number
  readonly serverSystem: number
  readonly shares: CpuShares
}

/** Starts measuring a server's and this process's CPU; the returned function ends the window. */
export function startCpuWindow(serverPid: number): () => CpuWindow {
  const startedAt = performance.now()
  const server = cpuSeconds(serverPid)
  const queued = queuedSeconds(serverPid)
  const own = process.cpuUsage()
  return () => {
    const seconds = (performance.now() - startedAt) / 1000
    const now = cpuSeconds(serverPid)
    const used = process.cpuUsage(own)
    const serverSystem = now.system - server.system
    const serverCpu = now.user - server.user + serverSystem
    const shares = {
      serverShare: serverCpu / seconds,
      queuedShare: (queuedSeconds(serverPid) - queued) / seconds,
      generatorShare: (used.user + used.system) / 1e6 / seconds,
    }
    return { seconds, serverCpu, serverSystem, shares }
  }
}
