import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { loadRuntime } from '../../src/runtime/index.ts'
import type { Listener, ServeOptions } from '../../src/runtime/runtime.ts'
import { until } from './harness.ts'

async function listen(options: Partial<ServeOptions> = {}): Promise<Listener> {
  const runtime = await loadRuntime()
  return runtime.serve({
    host: '127.0.0.1',
    port: 0,
    fetch: (_request, peer) => new Response(peer.address),
    failed: () => new Response(null, { status: 500 }),
    upgrade: async () => new Response('no', { status: 403 }),
    maxMessageBytes: 1000,
    ...options,
  })
}

test('a port in use is told in one line', async (t) => {
  const listener = await listen()
  t.after(() => listener.close())
  const message = `Cannot listen on 127.0.0.1:${listener.port}: the address is in use`
  await assert.rejects(listen({ port: listener.port }), { message })
})

test('the peer is a plain address, also through a dual-stack listener', async (t) => {
  const listener = await listen({ host: '::' })
  t.after(() => listener.close())
  const response = await fetch(`http://127.0.0.1:${listener.port}/`)
  assert.equal(await response.text(), '127.0.0.1')
})

test('an upgrade may be refused with a response, and other upgrades are ignored', async (t) => {
  const listener = await listen()
  t.after(() => listener.close())
  const ask = (upgrade: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(listener.port, '127.0.0.1')
      socket.once('data', (data) => {
        socket.destroy()
        resolve(data.toString())
      })
      socket.write(
        `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      )
    })
  assert.match(await ask('websocket'), /^HTTP\/1.1 403 Forbidden\r\n[\s\S]*no$/)
  assert.match(await ask('h2c'), /^HTTP\/1.1 200 OK\r\n/)
})

test('after it stops accepting, an open socket goes on until the listener closes', async (t) => {
  const heard: string[] = []
  let closed = 0
  const listener = await listen({
    upgrade: async () => ({
      opened: (socket) => socket.send('hello'),
      message: (socket, data) => socket.send(`you said ${String(data)}`),
      closed: () => {
        closed += 1
      },
    }),
  })
  t.after(() => listener.close())
  const url = `127.0.0.1:${listener.port}`
  const socket = new WebSocket(`ws://${url}`)
  socket.onmessage = ({ data }) => void heard.push(String(data))
  await until(() => heard.length === 1, 'a greeting')
  listener.stopAccepting()
  await assert.rejects(fetch(`http://${url}/`))
  socket.send('hi')
  await until(() => heard.length === 2, 'an answer')
  await listener.close()
  await until(() => socket.readyState === WebSocket.CLOSED, 'the end')
  assert.deepEqual([heard.join(), closed], ['hello,you said hi', 1])
})
