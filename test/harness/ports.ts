import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections: those could take a port before its server does. */
const FIRST = 10_000
const LAST = 32_000
/** Test processes run side by side, so each begins in a block of its own. */
const BLOCK = 100

let next = FIRST + (process.pid % ((LAST - FIRST) / BLOCK)) * BLOCK

/** Distinct ports on the loopback interface that are free, and that this process is not given again soon. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = next
    next = next + 1 < LAST ? next + 1 : FIRST
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
