import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Appliance } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { createTestStore } from '../harness/store.ts'

const MIB = 1024 * 1024
const SIZE = 1024 * MIB
const MAX_RISE = 64 * MIB
/** Clients that request the whole file and do not read it. */
const SLOW = 20
/** What each may occupy: a chunk or two in transit through the runtime. */
const MAX_OF_SLOW = 2 * MIB
const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

/** A server on this lane's runtime in its own process, so that its memory can be measured. */
class Server implements AsyncDisposable {
  readonly child: ChildProcess
  output = ''
  url = ''
  peak = 0
  readonly #timer: NodeJS.Timeout

  constructor(dataDir: string, env: Record<string, string>) {
    const args = [MAIN, 'serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0']
    const { PATH = '', HOME = '' } = process.env
    this.child = spawn(process.execPath, args, { env: { PATH, HOME, ...env } })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    this.#timer = setInterval(() => this.rss(), 20)
  }

  rss(): number {
    try {
      const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8')
      const rss = Number(/VmRSS:\s*(\d+)/.exec(status)?.[1] ?? 0) * 1024
      this.peak = Math.max(this.peak, rss)
      return rss
    } catch {
      return 0
    }
  }

  async ready(): Promise<this> {
    const found = await eventually(
      () => /listening on (http:\/\/[\d.]+:\d+)/.exec(this.output),
      'the server did not start',
    )
    this.url = found[1] as string
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    const gone = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await gone
  }
}

/** Many bytes that are cheap to generate; consecutive pieces differ. */
function* pieces(size: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let made = 0, count = 0; made < size; count++) {
    const piece = new Uint8Array(Math.min(100_003, size - made)).fill(count % 251)
    made += piece.length
    yield piece
  }
}

async function up(server: Server, who: Person, size: number): Promise<string> {
  const source = pieces(size)
  const body = new ReadableStream(
    {
      pull(controller) {
        const { done, value } = source.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
    },
    { highWaterMark: 0 },
  )
  const response = await fetch(`${server.url}/api/attachments`, {
    method: 'POST',
    headers: { authorization: `Bearer ${who.accessToken}` },
    body,
    duplex: 'half',
  } as RequestInit)
  const answer = (await response.json()) as { id: string; size: number }
  assert.equal(response.status, 201, JSON.stringify(answer))
  assert.equal(answer.size, size)
  return answer.id
}

async function down(server: Server, who: Person, id: string, range?: string) {
  const response = await fetch(`${server.url}/api/attachments/${id}`, {
    headers: { authorization: `Bearer ${who.accessToken}`, ...(range ? { range } : {}) },
  })
  const hash = createHash('sha256')
  let size = 0
  for await (const part of response.body as ReadableStream<Uint8Array>) {
    hash.update(part)
    size += part.byteLength
  }
  return { size, digest: hash.digest('hex') }
}

function digestOf(size: number): string {
  const hash = createHash('sha256')
  for (const piece of pieces(size)) hash.update(piece)
  return hash.digest('hex')
}

test('a file of 1 GB goes up and down, in bounded memory, beside slow readers', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'mimir-test-'))
  const store = await createTestStore()
  await using appliance = new Appliance(dataDir, store, {})
  await appliance.start()
  const alice = await appliance.person('alice')
  await appliance.app.close()
  const env = { ...store.env, MIMIR_ATTACHMENT_MAX_BYTES: String(2 * SIZE) }
  await using server = await new Server(dataDir, env).ready()

  // First use costs memory that later use does not.
  const warm = await up(server, alice, 8 * MIB)
  await down(server, alice, warm)
  const before = server.rss()
  const report = (what: string, since: number) => {
    const rise = server.peak - before
    const seconds = ((performance.now() - since) / 1000).toFixed(1)
    console.log(`${what}: ${seconds} s, rise ${(rise / MIB).toFixed(1)} MiB`)
    server.peak = 0
    return rise
  }
  server.peak = 0

  let since = performance.now()
  const id = await up(server, alice, SIZE)
  const risen = [report('up', since)]
  since = performance.now()
  assert.deepEqual(await down(server, alice, id), { size: SIZE, digest: digestOf(SIZE) })
  risen.push(report('down', since))
  since = performance.now()
  assert.equal((await down(server, alice, id, 'bytes=-1')).size, 1)
  const last = performance.now() - since
  report('the last byte', since)

  since = performance.now()
  const { hostname, port } = new URL(server.url)
  const sockets = await Promise.all(
    Array.from({ length: SLOW }, async () => {
      const socket = connect(Number(port), hostname)
      socket.write(
        `GET /api/attachments/${id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${alice.accessToken}\r\n\r\n`,
      )
      await once(socket, 'readable')
      return socket
    }),
  )
  assert.deepEqual(await down(server, alice, id), { size: SIZE, digest: digestOf(SIZE) })
  const besideSlow = report(`down again beside ${SLOW} slow readers`, since)
  for (const socket of sockets) socket.destroy()

  assert.ok(last < 500, `the last byte took ${last} ms`)
  assert.ok(besideSlow < MAX_RISE + SLOW * MAX_OF_SLOW, `it rose by ${besideSlow} bytes`)
  assert.ok(Math.max(...risen) < MAX_RISE, `the memory rose by ${risen.join(', ')} bytes`)
})
