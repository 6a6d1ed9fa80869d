import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Appliance } from '../harness/boot.ts'
import { executable } from '../harness/executable.ts'
import { HubClient } from '../harness/hub.ts'
import type { Person } from '../harness/people.ts'
import { assertDone, Rest } from '../harness/rest.ts'
import { ServerProcess } from '../harness/server-process.ts'
import { createTestStore } from '../harness/store.ts'

const KILLS = 20
const PAIRS = 4
const IN_FLIGHT = 8

interface Message {
  readonly id: string
  readonly content: string
  readonly clientMessageId: string
}

interface Devices {
  readonly writer: HubClient
  readonly reader: HubClient
}

/** A person who writes to another, and what the server told each of them. */
class Pair {
  readonly sender: Person
  readonly receiver: Person
  readonly conversationId: string
  /** By client id: messages sent but not acknowledged, and acknowledged ones. */
  readonly open = new Set<string>()
  readonly acknowledged = new Map<string, Message>()
  readonly heard = new Map<string, Message>()
  #sent = 0

  constructor(sender: Person, receiver: Person, conversationId: string) {
    this.sender = sender
    this.receiver = receiver
    this.conversationId = conversationId
  }

  async connect(url: string): Promise<Devices> {
    const writer = await new HubClient(url, this.sender.accessToken).start()
    return { writer, reader: await new HubClient(url, this.receiver.accessToken).start() }
  }

  /** Sends continuously, several at a time, until the server is gone; unacknowledged messages first. */
  async sendUntilCut({ writer, reader }: Devices, told: () => void): Promise<void> {
    const repeats = [...this.open]
    const lane = async () => {
      while (!writer.closed && (await this.#send(writer, repeats.pop() ?? this.#next()))) told()
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
    for (const message of reader.all('MessageReceived')) this.heard.set(message.id, message)
    await Promise.all([writer.stop(), reader.stop()])
  }

  /** What a client does on return: sends unacknowledged messages again. */
  async sendOpen(url: string): Promise<void> {
    const { writer, reader } = await this.connect(url)
    for (const id of this.open) assert.ok(await this.#send(writer, id))
    await Promise.all([writer.stop(), reader.stop()])
  }

  async history(url: string): Promise<Message[]> {
    const rest = new Rest(url, { authorization: `Bearer ${this.receiver.accessToken}` })
    const messages: Message[] = []
    let after = '00000000-0000-7000-8000-000000000000'
    for (;;) {
      const path = `/api/messages/${this.conversationId}?limit=200&afterId=${after}`
      const page: Message[] = assertDone(await rest.get(path))
      messages.push(...page)
      if (page.length < 200) return messages
      after = page.at(-1)?.id as string
    }
  }

  #next(): string {
    this.#sent++
    return `${this.sender.name}-${this.#sent}`
  }

  async #send(writer: HubClient, clientMessageId: string): Promise<boolean> {
    this.open.add(clientMessageId)
    const content = `the text of ${clientMessageId}`
    const args = [this.conversationId, content, { clientMessageId }]
    const message = await writer.invoke('SendMessage', ...args).catch(() => undefined)
    if (!message) return false
    this.open.delete(clientMessageId)
    this.acknowledged.set(clientMessageId, message)
    return true
  }
}

/** Resolves under load, once `goal` messages have been acknowledged. */
function countdown(goal: number) {
  const { promise, resolve } = Promise.withResolvers<void>()
  let left = goal
  const told = () => {
    left--
    if (left === 0) resolve()
  }
  return { reached: promise, told }
}

test('killed twenty times under load, it lost nothing it had told of and doubled nothing', async () => {
  const store = await createTestStore()
  await using mimir = new Appliance(mkdtempSync(join(tmpdir(), 'mimir-kill-')), store, {})
  await mimir.start()
  const pairs: Pair[] = []
  for (let n = 0; n < PAIRS; n++) {
    const [sender, receiver] = await mimir.friends(`sender${n}`, `receiver${n}`)
    pairs.push(new Pair(sender, receiver, await sender.dm(receiver)))
  }
  await mimir.app.close()

  let unanswered = 0
  for (let kill = 0; kill < KILLS; kill++) {
    await using server = await new ServerProcess([executable()], mimir.dataDir, store.env).ready()
    // Early and late kills: also before the server has prepared its statements.
    const { reached, told } = countdown(1 + ((kill * 67) % 300))
    const devices = await Promise.all(pairs.map((pair) => pair.connect(server.url)))
    const cut = Promise.all(pairs.map((pair, n) => pair.sendUntilCut(devices[n] as Devices, told)))
    await Promise.race([reached, cut])
    await server.kill('SIGKILL')
    await cut
    unanswered += pairs.reduce((sum, pair) => sum + pair.open.size, 0)
  }
  assert.ok(unanswered > KILLS, `only ${unanswered} messages were under way at the kills`)

  await using server = await new ServerProcess([executable()], mimir.dataDir, store.env).ready()
  for (const pair of pairs) {
    await pair.sendOpen(server.url)
    const stored = await pair.history(server.url)
    const byClientId = new Map(stored.map((message) => [message.clientMessageId, message]))
    assert.equal(stored.length, byClientId.size, 'a message is there twice')
    assert.equal(stored.length, pair.acknowledged.size, 'messages are there that nobody sent')
    for (const [id, message] of pair.acknowledged) assert.deepEqual(byClientId.get(id), message)
    for (const message of pair.heard.values()) {
      assert.deepEqual(byClientId.get(message.clientMessageId), message)
    }
    assert.ok(pair.heard.size > 0)
  }
  await server.kill('SIGTERM')
})
