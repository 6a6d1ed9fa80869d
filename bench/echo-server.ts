// The ceiling of any WebSocket server on this machine: a Bun.serve that echoes.
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (request, upgrading) =>
    upgrading.upgrade(request) ? undefined : new Response('a WebSocket, please', { status: 426 }),
  websocket: {
    message(socket, message) {
      socket.send(message)
    },
  },
})
console.log(`listening on http://${server.hostname}:${server.port}`)
process.on('SIGTERM', () => process.exit(0))
