import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Appliance, boot } from '../harness/boot.ts'
import { MlsDevice } from '../harness/mls.ts'
import { deviceOf } from '../harness/mls-people.ts'
import { assertDone, Rest } from '../harness/rest.ts'
import { assertRefusal, Xrpc } from '../harness/xrpc.ts'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
/** The data server runs on Node only. */
const NODE = process.versions.bun ? process.env.MIMIR_TEST_NODE : process.execPath
const isThere = NODE !== undefined && existsSync(join(FOLDER, 'node_modules/@atproto/pds'))
const options = { skip: !isThere && 'no personal data server: npm ci in test/pds installs it' }

const nsidOf = (name: string) => `blue.catbird.mls.${name}`

/** A personal data server and its PLC directory, in a child process. */
class Pds implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #folder: string
  readonly #lines: AsyncIterator<string>
  #complaint = ''
  urls = { directoryUrl: '', pdsUrl: '' }

  private constructor(child: ChildProcessWithoutNullStreams, folder: string) {
    this.#child = child
    this.#folder = folder
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint += text
    })
  }

  static async start(): Promise<Pds> {
    const folder = mkdtempSync(join(tmpdir(), 'mimir-pds-'))
    const { PATH = '', HOME = '' } = process.env
    const child = spawn(NODE as string, [join(FOLDER, 'serve.mjs'), folder], {
      env: { PATH, HOME, LOG_ENABLED: 'false' },
    })
    const pds = new Pds(child, folder)
    pds.urls = (await pds.#said()) as typeof pds.urls
    return pds
  }

  /** The next message from the child, skipping what its libraries log. */
  async #said(): Promise<unknown> {
    for (;;) {
      const { value, done } = await this.#lines.next()
      assert.ok(!done, this.#complaint)
      if (value.startsWith('said: ')) return JSON.parse(value.slice('said: '.length))
    }
  }

  async account(name: string): Promise<Account> {
    const reply = await new Rest(this.urls.pdsUrl).post('/xrpc/com.atproto.server.createAccount', {
      handle: `${name}.test`,
      email: `${name}@example.org`,
      password: 'a long password',
    })
    const { did, accessJwt } = assertDone(reply)
    return { did, headers: { authorization: `Bearer ${accessJwt}` } }
  }

  /** A REST client that reaches the appliance through the person's own server. */
  proxied({ headers }: Account, mimir: Appliance): Rest {
    const service = `${mimir.app.ctx.config.atproto.serviceDid}#atproto_mls`
    return new Rest(this.urls.pdsUrl, { ...headers, 'atproto-proxy': service })
  }

  /** A token signed by the server for a person to present. */
  async token({ headers }: Account, aud: string, name: string): Promise<string> {
    const query = new URLSearchParams({ aud, lxm: nsidOf(name) })
    const path = `/xrpc/com.atproto.server.getServiceAuth?${query}`
    return assertDone(await new Rest(this.urls.pdsUrl, headers).get(path)).token
  }

  /** Publishes a new signing key for an account. */
  async rotate({ did }: Account): Promise<void> {
    this.#child.stdin.write(`${did}\n`)
    assert.deepEqual(await this.#said(), { rotated: did })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const gone = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await gone
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

interface Account {
  readonly did: string
  readonly headers: Record<string, string>
}

/** An appliance whose DID contains its port. */
async function bootFor({ urls }: Pds): Promise<Appliance> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return boot({
    env: {
      MIMIR_LISTEN: `127.0.0.1:${port}`,
      MIMIR_PLC_URL: urls.directoryUrl,
      MIMIR_OUTBOUND_ALLOW: 'localhost,127.0.0.1,::1',
      MIMIR_ATPROTO_ADMISSION: 'invite',
    },
  })
}

async function admit(mimir: Appliance, xrpc: Xrpc): Promise<void> {
  const { token: invitationToken } = await mimir.command('invite.create')
  assert.equal(assertDone(await xrpc.post('optIn', { invitationToken })).status, 'pending')
  const [pending] = await mimir.command('user.list', { status: 'PendingAdmin' })
  await mimir.command('user.approve', { user: pending.username })
}

test('somebody of a real personal data server talks here by way of it', options, async () => {
  await using pds = await Pds.start()
  await using mimir = await bootFor(pds)
  const alice = await mimir.person('alice')
  const zoe = await pds.account('zoe')
  const rest = pds.proxied(zoe, mimir)
  assertRefusal(await new Xrpc(rest).get('listDevices'), 403, 'NotAdmitted')
  await admit(mimir, new Xrpc(rest))
  const friendKey = await alice.friendKey()
  assertDone(await new Xrpc(rest).post('optIn', { friendKey }))
  const [request] = assertDone(await alice.rest.get('/api/friends/requests/pending'))
  assertDone(await alice.rest.post(`/api/friends/requests/${request.id}/accept`), 204)

  const a = await deviceOf(mimir, alice)
  const z = await MlsDevice.create(rest, zoe.did, () => mimir.clock.now() / 1000)
  const convoId = await a.createConvo(zoe.did)
  await z.join(convoId)
  await z.send(convoId, 'from a server of my own')
  assert.deepEqual(await a.catchUp(convoId), ['from a server of my own'])
})

test(
  'what it signs opens this service, this method, once, and by the key it has now',
  options,
  async () => {
    await using pds = await Pds.start()
    await using mimir = await bootFor(pds)
    const zoe = await pds.account('zoe')
    await admit(mimir, new Xrpc(pds.proxied(zoe, mimir)))
    const { serviceDid } = mimir.app.ctx.config.atproto
    const ask = (token: string) => new Xrpc(mimir.rest(token)).get('listDevices')
    const refused = async (token: string) =>
      assertRefusal(await ask(token), 401, 'AuthenticationRequired')

    const good = await pds.token(zoe, serviceDid, 'listDevices')
    assert.deepEqual(assertDone(await ask(good)), { devices: [] })
    await refused(good)
    await refused(await pds.token(zoe, 'did:web:elsewhere.example.org', 'listDevices'))
    await refused(await pds.token(zoe, serviceDid, 'getConvos'))

    // For an account unknown here so far, so that its key is fetched now.
    const yan = await pds.account('yan')
    const before = await pds.token(yan, serviceDid, 'listDevices')
    await pds.rotate(yan)
    await refused(before)
    await refused(await pds.token(yan, serviceDid, 'listDevices'))
  },
)
