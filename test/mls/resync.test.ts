import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CLASSICAL,
  type Group,
  type HttpTransport,
  type JsonObject,
  MemoryStore,
  type MlsDevice,
  PersonSecret,
  type Store,
} from '../../client/index.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { mlsDevice, mlsTransport } from '../harness/mls-client.ts'
import { Died, DyingStore } from './dying-store.ts'
import { ConnectionLost } from './flaky-transport.ts'

const NSID = 'blue.catbird.mls'
const EXTERNAL = `${NSID}.processExternalCommit`
const suites = [CLASSICAL]

/** Two people in one group, one of them with a store and a transport that can fail. */
class Pair implements AsyncDisposable {
  readonly store = new MemoryStore()
  readonly secret = PersonSecret.create()
  readonly mimir: Appliance
  alice!: MlsDevice
  group!: Group
  transport!: HttpTransport
  #bob!: (store: Store) => Promise<MlsDevice>

  private constructor(mimir: Appliance) {
    this.mimir = mimir
  }

  static async start(): Promise<Pair> {
    const mimir = await boot()
    const pair = new Pair(mimir)
    const [alice, bob] = await mimir.friends('alice', 'bob')
    pair.alice = await mlsDevice(mimir, alice, { suites })
    pair.transport = mlsTransport(mimir, bob)
    const { transport, secret } = pair
    pair.#bob = (store) => mlsDevice(mimir, bob, { suites, store, secret, transport })
    const device = await pair.open()
    pair.group = await pair.alice.createGroup({ members: [device.did] })
    await device.sync()
    await pair.setPolicy(mlsTransport(mimir, alice), true)
    pair.close = () => pair.setPolicy(mlsTransport(mimir, alice), false)
    return pair
  }

  /** Forbids joining by external commit from now on. */
  close!: () => Promise<void>

  async setPolicy(admin: HttpTransport, allowExternalCommits: boolean): Promise<void> {
    await admin.procedure(`${NSID}.updatePolicy`, { convoId: this.group.id, allowExternalCommits })
  }

  open(store: Store = this.store): Promise<MlsDevice> {
    return this.#bob(store)
  }

  groupOf(device: MlsDevice): Group {
    const group = device.group(this.group.id)
    assert.ok(group)
    return group
  }

  /** Loses the responses to the next external commits, or the requests themselves. */
  loseExternal(arrives: boolean): () => void {
    const procedure = this.transport.procedure.bind(this.transport)
    this.transport.procedure = async (nsid: string, body: JsonObject) => {
      if (nsid !== EXTERNAL) return procedure(nsid, body)
      if (arrives) await procedure(nsid, body)
      throw new ConnectionLost('lost')
    }
    return () => {
      this.transport.procedure = procedure
    }
  }

  /** Asserts that both can read each other's messages. */
  async assertTogether(device: MlsDevice, word: string): Promise<void> {
    const group = this.groupOf(device)
    await this.alice.sync()
    await group.send({ text: `${word} of bob` })
    await this.alice.sync()
    await this.group.send({ text: `${word} of alice` })
    await this.alice.sync()
    await device.sync()
    assert.equal(group.epoch, this.group.epoch)
    assert.deepEqual(await group.exportSecret('same'), await this.group.exportSecret('same'))
    const [own, other] = await Promise.all([group, this.group].map(lastTexts))
    assert.deepEqual(own, [`${word} of bob`, `${word} of alice`])
    assert.deepEqual(other, own)
    assert.equal((await this.group.members()).flatMap(({ devices }) => devices).length, 2)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mimir[Symbol.asyncDispose]()
  }
}

async function lastTexts(group: Group): Promise<(string | undefined)[]> {
  const history = await group.history({ limit: 10_000 })
  const texts = history.flatMap((each) => (each.kind === 'message' ? [each.content.text] : []))
  return texts.slice(-2)
}

test('a resync that the service refuses leaves what worked before', async () => {
  await using pair = await Pair.start()
  const device = await pair.open()
  await pair.close()
  await assert.rejects(pair.groupOf(device).resync(), { error: 'PolicyViolation' })
  assert.equal(pair.groupOf(device).status, 'active')
  await pair.assertTogether(device, 'refused')
  await pair.assertTogether(await pair.open(), 'opened again')
})

test('a resync whose request is lost, or its answer, is finished or forgotten, and nothing is lost', async () => {
  await using pair = await Pair.start()
  for (const arrives of [false, true]) {
    let device = await pair.open()
    let restore = pair.loseExternal(arrives)
    await assert.rejects(pair.groupOf(device).resync(), ConnectionLost)
    restore()
    // As an event would trigger it.
    await pair.groupOf(device).catchUp()
    await pair.assertTogether(device, `read ${arrives}`)

    restore = pair.loseExternal(arrives)
    await assert.rejects(pair.groupOf(device).resync(), ConnectionLost)
    restore()
    await pair.group.update().catch(() => {})
    await pair.alice.sync()
    device = await pair.open()
    await device.sync()
    await pair.assertTogether(device, `synced ${arrives}`)
  }
})

test('a device that dies at any write of a resync goes on in the group', async () => {
  await using pair = await Pair.start()
  for (let writes = 1, isOver = false; !isOver; writes += 1) {
    for (const countsLast of [false, true]) {
      const dying = await pair.open(new DyingStore(pair.store, writes, countsLast))
      const outcome = await pair
        .groupOf(dying)
        .resync()
        .then(
          () => 'lived',
          (error: unknown) => error,
        )
      isOver = outcome === 'lived'
      if (!isOver) assert.ok(outcome instanceof Died, String(outcome))
      const next = await pair.open()
      await next.sync()
      await pair.assertTogether(next, `${writes} ${countsLast}`)
    }
  }
})
