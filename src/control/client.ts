import { connect } from 'node:net'
import type { ControlRequest, ControlResponse } from './protocol.ts'

/** Sends one command to a running server; resolves to undefined if none listens at the path. */
export function callServer(
  path: string,
  request: ControlRequest,
): Promise<ControlResponse | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    let line = ''
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`))
    socket.on('data', (chunk: string) => {
      line += chunk
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
    socket.on('close', () => {
      if (!line.endsWith('\n'))
        reject(new Error('the server closed the connection without an answer'))
      else resolve(JSON.parse(line) as ControlResponse)
    })
  })
}
