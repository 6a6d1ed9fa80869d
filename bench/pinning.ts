import { readFileSync } from 'node:fs'

export interface Cores {
  readonly server: number | undefined
  readonly generator: number | undefined
  /** Why nothing is pinned; undefined if server and generator have a core each. */
  readonly unpinnedBecause: string | undefined
}

/** The cores this process may use, from /proc: in a container they are not always 0 and 1. */
function allowedCores(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8')
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0'
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

/** One core each for the server and the generator, if the machine has two. */
export function chooseCores(): Cores {
  const none = { server: undefined, generator: undefined }
  if (!Bun.which('taskset')) return { ...none, unpinnedBecause: 'taskset is not installed' }
  const [server, generator] = allowedCores()
  if (generator === undefined) return { ...none, unpinnedBecause: 'there is only one core' }
  return { server, generator, unpinnedBecause: undefined }
}

/** The command pinned to that core. taskset execs the command, so the pid is the command's. */
export function pinned(core: number | undefined, command: readonly string[]): string[] {
  return core === undefined ? [...command] : ['taskset', '-c', String(core), ...command]
}
