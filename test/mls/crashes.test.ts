import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decryptSenderData } from 'ts-mls/privateMessage.js'
import { fromBase64 } from '../../client/bytes.ts'
import {
  CLASSICAL,
  type Group,
  type HistoryEntry,
  type JsonObject,
  MemoryStore,
  MlsDevice,
  PersonSecret,
} from '../../client/index.ts'
import { decodeMessage } from '../../client/mls/codec.ts'
import { suite } from '../../client/mls/suites.ts'
import { type Appliance, boot } from '../harness/boot.ts'
import { mlsDevice, mlsTransport } from '../harness/mls-client.ts'
import { didOf } from '../harness/mls-people.ts'
import type { Person } from '../harness/people.ts'
import { Died, DyingStore } from './dying-store.ts'

/** A device's activity, with more writes than any test here counts to. */
async function live(group: Group, others: { carol: string }): Promise<void> {
  await group.send({ text: 'one' })
  await group.update()
  await group.send({ text: 'two' })
  await group.add([others.carol])
  await group.send({ text: 'three' })
  await group.remove(others.carol)
  await group.send({ text: 'four' })
}

/** Records every ciphertext that leaves the device, even if the server never answers. */
class Watched {
  readonly sent: Uint8Array[] = []

  transport(appliance: Appliance, person: Person) {
    const inner = mlsTransport(appliance, person)
    const procedure = inner.procedure.bind(inner)
    inner.procedure = (nsid: string, body: JsonObject) => {
      const { ciphertext } = body as { ciphertext?: { $bytes: string } }
      if (ciphertext) this.sent.push(fromBase64(ciphertext.$bytes))
      return procedure(nsid, body)
    }
    return inner
  }
}

/** A ratchet's generation (RFC 9420 §9.1) is one key, which may encrypt only one message. */
class UsedKeys {
  readonly #ciphertexts = new Map<string, string>()

  get size(): number {
    return this.#ciphertexts.size
  }

  /** Determines, in another member's group, which keys these messages were encrypted with. */
  async note(group: Group, messages: Uint8Array[]): Promise<void> {
    const { state } = group.snapshot
    for (const bytes of messages) {
      const message = decodeMessage(bytes)
      assert.ok(state && message.wireformat === 'mls_private_message')
      const { privateMessage } = message
      const isNow = state.groupContext.epoch === privateMessage.epoch
      const past = state.historicalReceiverData.get(privateMessage.epoch)
      const sender = isNow ? state.keySchedule.senderDataSecret : past?.senderDataSecret
      assert.ok(sender, `epoch ${privateMessage.epoch} is not long past`)
      const data = await decryptSenderData(privateMessage, sender, await suite(CLASSICAL))
      const key = `${privateMessage.epoch} ${data?.leafIndex} ${data?.generation}`
      const ciphertext = Buffer.from(bytes).toString('base64')
      assert.equal(this.#ciphertexts.get(key) ?? ciphertext, ciphertext, `${key} was used twice`)
      this.#ciphertexts.set(key, ciphertext)
    }
  }
}

test('a device that dies at any write goes on as if nothing had been, and uses no key twice', async () => {
  await using mimir = await boot()
  const [alice, bob, carol] = await mimir.friends('alice', 'bob', 'carol')
  const others = { carol: didOf(mimir, carol) }
  const suites = [CLASSICAL]
  const bobs = await mlsDevice(mimir, bob, { suites })
  await mlsDevice(mimir, carol, { suites })
  const watched = new Watched()
  const secret = PersonSecret.create()
  const memory = new MemoryStore()
  const open = (store: MemoryStore | DyingStore) =>
    MlsDevice.open({
      did: didOf(mimir, alice),
      name: 'fragile',
      secret,
      store,
      suites,
      transport: watched.transport(mimir, alice),
    })
  const first = await open(memory)
  const { id } = await first.createGroup({ members: [bobs.did] })
  await bobs.sync()
  const keys = new UsedKeys()

  for (let writes = 1, isOver = false; !isOver; writes += 1) {
    for (const countsLast of [false, true]) {
      const dying = new DyingStore(memory, writes, countsLast)
      const device = await open(dying)
      const group = device.group(id)
      assert.ok(group)
      const outcome = await live(group, others).then(
        () => 'lived',
        (error: unknown) => error,
      )
      if (outcome !== 'lived') assert.ok(outcome instanceof Died, String(outcome))
      isOver = outcome === 'lived'

      const next = await open(memory)
      await next.sync()
      await bobs.sync()
      const [one, other] = [next.group(id), bobs.group(id)]
      assert.ok(one && other)
      assert.equal(one.epoch, other.epoch)
      assert.deepEqual(await one.exportSecret('same'), await other.exportSecret('same'))
      await next.group(id)?.send({ text: `after ${writes}` })
      await bobs.sync()
      await keys.note(other, watched.sent.splice(0))
      if (await isMember(one, others.carol)) await one.remove(others.carol)
    }
  }
  const all = { limit: 100_000 }
  const history = (await bobs.group(id)?.history(all)) ?? []
  assert.deepEqual(
    history.filter(({ kind }) => kind === 'unreadable'),
    [],
  )
  const last = await open(memory)
  await last.sync()
  const own = await last.group(id)?.history(all)
  const messages = (list: HistoryEntry[] = []) => list.filter(({ kind }) => kind === 'message')
  assert.deepEqual(messages(own), messages(history))

  assert.ok(keys.size > 0)
})

test('a device that dies at any write of its first start is one device after the next', async () => {
  await using mimir = await boot()
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const bobs = await mlsDevice(mimir, bob, { suites: [CLASSICAL] })
  let devices = 0
  for (let writes = 1, isOver = false; !isOver; writes += 1) {
    for (const countsLast of [false, true]) {
      const memory = new MemoryStore()
      const options = { suites: [CLASSICAL], secret: PersonSecret.create() }
      const store = new DyingStore(memory, writes, countsLast)
      const outcome = await mlsDevice(mimir, alice, { ...options, store }).then(
        () => 'lived',
        (error: unknown) => error,
      )
      isOver = outcome === 'lived'
      if (!isOver) assert.ok(outcome instanceof Died, String(outcome))
      const device = await mlsDevice(mimir, alice, { ...options, store: memory })
      const listed = await device.devices()
      assert.equal(listed.length, devices + 1)
      const group = await bobs.createGroup({ members: [device.did] })
      await device.sync()
      await group.send({ text: 'welcome' })
      await device.sync()
      const history = (await device.group(group.id)?.history()) ?? []
      assert.ok(history.some(({ kind }) => kind === 'message'))
      devices = listed.length
    }
  }
})

async function isMember(group: Group, did: string): Promise<boolean> {
  return (await group.members()).some((member) => member.did === did)
}
