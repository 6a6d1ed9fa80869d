import { chmodSync, existsSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type { Ctx } from '../context.ts'
import { AppError, commonErrors, operatorMessage } from '../platform/errors.ts'
import type { Command } from './define-command.ts'
import { type ControlRequest, type ControlResponse, MAX_REQUEST } from './protocol.ts'
import { runCommand } from './run-command.ts'

export interface ControlServer {
  close(): Promise<void>
}

/**
 * Serves commands over a Unix socket that only the owner of the data directory can open (0600). The
 * caller must hold the data directory's lock, so that an existing socket can only be a dead server's.
 */
export async function startControlServer(
  ctx: Ctx,
  commands: readonly Command[],
  path: string,
): Promise<ControlServer> {
  if (existsSync(path)) rmSync(path)
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    let line = ''
    socket.setEncoding('utf8')
    socket.on('data', async (chunk: string) => {
      line += chunk
      if (line.length > MAX_REQUEST) return void socket.destroy()
      if (!line.endsWith('\n')) return
      socket.pause()
      socket.end(`${JSON.stringify(await respond(ctx, commands, line))}\n`)
    })
  })
  // The umask is narrowed while binding, so that the socket is never open to others.
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } finally {
    process.umask(mask)
  }
  chmodSync(path, 0o600)
  return {
    async close() {
      for (const socket of open) socket.end()
      await new Promise((resolve) => server.close(resolve))
      if (existsSync(path)) rmSync(path)
    },
  }
}

async function respond(
  ctx: Ctx,
  commands: readonly Command[],
  line: string,
): Promise<ControlResponse> {
  try {
    const request = JSON.parse(line) as ControlRequest
    return { ok: true, result: (await runCommand(ctx, commands, request)) ?? null }
  } catch (error) {
    const refusal = error instanceof AppError ? error : new AppError(commonErrors.internal)
    if (refusal !== error) ctx.log.error({ err: error }, 'a command failed')
    const { code, details } = refusal
    return { ok: false, error: code, message: operatorMessage(refusal), details }
  }
}
