import assert from 'node:assert/strict'
import { setInterval } from 'node:timers/promises'
import type { Appliance } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'
import { keyOf, RecoveringClient, type Way } from './recovering-client.ts'

const CUT_EVERY_MS = 1000
const SAY_EVERY_MS = 20
const PAGE = 200

const WAYS: readonly Way[] = [
  { protocol: 'JSON', stateful: true },
  { protocol: 'JSON', stateful: false },
  { protocol: 'MessagePack', stateful: true },
  { protocol: 'MessagePack', stateful: false },
]

/**
 * Four devices of one person, each connecting in a different way, lose their connections every second
 * while everybody writes, edits, reacts and deletes. A fifth, undisturbed device records all events: in
 * the end the others know all of them, in order and without duplicates.
 */
export async function checkDelivery(mimir: Appliance, seconds: number): Promise<void> {
  const [alice, bob] = await mimir.friends('alice', 'bob')
  const conversationId = await alice.dm(bob)
  const undisturbed = await bob.connect()
  await using stack = new AsyncDisposableStack()
  const devices: RecoveringClient[] = []
  for (const way of WAYS) {
    devices.push(stack.use(await RecoveringClient.connect(mimir.url, bob, way)))
  }

  const end = performance.now() + seconds * 1000
  const cuts = devices.map((device) => cutUntil(end, device))
  const said = await sayUntil(end, alice, devices, conversationId)
  for (const count of await Promise.all(cuts)) assert.ok(count >= seconds / 2, `${count} cuts`)

  const told = () => undisturbed.received.map(keyOf).filter((key) => key !== undefined)
  const lastOfAll = await alice.say(conversationId, 'the last of all')
  said.add(lastOfAll.content)
  await undisturbed.event('MessageReceived', ({ id }) => id === lastOfAll.id)
  for (const device of devices) {
    await eventually(
      () => device.known.has(`MessageReceived ${lastOfAll.id}`),
      `${device.name}: the last message did not arrive`,
    )
    assertSame([...device.known.keys()], told(), device)
    assert.deepEqual(repeated(device.live), [], `${device.name}: heard twice`)
    assert.deepEqual(repeated(device.resumed), [], `${device.name}: in two pages`)
    if (device.way.stateful) assert.equal(device.reconnects + device.resumed.length, 0, device.name)
    else assert.ok(device.reconnects > 0 && device.resumed.length > 0, device.name)
    assert.equal(device.closed, false, device.name)
  }
  // Bob's devices also sent all the while: everything is stored exactly once.
  const stored = await history(alice, conversationId)
  assert.deepEqual(repeated(stored), [])
  assert.deepEqual(new Set(stored), said)
}

/**
 * All events, in order. Later readers see concurrent transactions in one order, which on PostgreSQL may
 * differ from commit order; messages keep their order, and a change follows its message.
 */
function assertSame(known: string[], told: string[], { name, way }: RecoveringClient): void {
  if (way.stateful) {
    assert.deepEqual(known, told, `${name}: all, in order`)
    return
  }
  assert.deepEqual(known.toSorted(), told.toSorted(), `${name}: all`)
  const isMessage = (key: string) => key.startsWith('MessageReceived')
  assert.deepEqual(known.filter(isMessage), told.filter(isMessage), `${name}: messages in order`)
  for (const [place, key] of known.entries()) {
    const message = `MessageReceived ${key.split(' ')[1]}`
    assert.ok(known.indexOf(message) <= place, `${name}: ${key} came before its message`)
  }
}

async function cutUntil(end: number, device: RecoveringClient): Promise<number> {
  let count = 0
  for await (const _ of setInterval(CUT_EVERY_MS)) {
    if (performance.now() >= end) break
    await device.cut()
    count += 1
  }
  return count
}

/** Everybody writes at every tick; now and then Alice changes what she wrote. Resolves to what remains. */
async function sayUntil(
  end: number,
  alice: Person,
  devices: readonly RecoveringClient[],
  conversationId: string,
): Promise<Set<string>> {
  const hub = await alice.connect()
  const said = new Set<string>()
  const answered: Promise<unknown>[] = []
  let tick = 0
  for await (const _ of setInterval(SAY_EVERY_MS)) {
    if (performance.now() >= end) break
    tick += 1
    for (const device of devices) {
      const content = `${device.name} ${tick}`
      said.add(content)
      answered.push(device.say(conversationId, content))
    }
    const content = `alice ${tick}`
    const { id } = await hub.invoke('SendMessage', conversationId, content)
    if (tick % 10 === 3) {
      answered.push(hub.invoke('EditMessage', id, `${content}, better`))
      said.add(`${content}, better`)
    } else if (tick % 10 === 6) {
      answered.push(hub.invoke('DeleteMessage', id))
    } else {
      said.add(content)
      if (tick % 10 === 9) answered.push(hub.invoke('React', id, '👍', true))
    }
  }
  await Promise.all(answered)
  return said
}

/** The contents of all stored messages, newest page first. */
async function history(person: Person, conversationId: string): Promise<string[]> {
  const contents: string[] = []
  for (let before = ''; ; ) {
    const path = `/api/messages/${conversationId}?limit=${PAGE}${before}`
    const page: { id: string; content: string }[] = assertDone(await person.rest.get(path))
    contents.push(...page.map(({ content }) => content))
    if (page.length < PAGE) return contents
    before = `&beforeId=${page[0]?.id}`
  }
}

function repeated(keys: readonly string[]): string[] {
  const seen = new Set<string>()
  return keys.filter((key) => seen.size === seen.add(key).size)
}
