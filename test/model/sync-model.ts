import assert from 'node:assert/strict'
import fc from 'fast-check'
import { boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'
import { Device } from './device.ts'

const NAMES = ['alice', 'bob', 'carol'] as const

/** What can happen; `who` and `which` choose among what there is at that moment. */
const step = fc.oneof(
  { weight: 6, arbitrary: action('send') },
  { weight: 2, arbitrary: action('edit') },
  { weight: 2, arbitrary: action('delete') },
  { weight: 1, arbitrary: action('read') },
  { weight: 1, arbitrary: action('rename') },
  { weight: 1, arbitrary: action('leave') },
  { weight: 1, arbitrary: action('return') },
  { weight: 3, arbitrary: action('toggle') },
)

function action<const K extends string>(kind: K) {
  return fc.record({ kind: fc.constant(kind), who: fc.nat(2), which: fc.nat(1000) })
}

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

interface World {
  readonly people: readonly Person[]
  readonly devices: readonly Device[]
  readonly group: string
  readonly messages: { id: string; sender: Person }[]
  readonly present: Set<Person>
  tick(): void
}

/**
 * Drives people and devices that connect, drop, send, edit, delete, leave and come back at random,
 * and holds what each device shows in the end against what the server has.
 */
export async function checkSync(runs: number): Promise<void> {
  await using mimir = await boot()
  const people = await mimir.friends(...NAMES)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const devices = await Promise.all(people.map((person) => newDevice(mimir.url, person)))
      const [owner, ...others] = people
      const group = await owner.group('The group', ...others)
      const world: World = {
        people,
        devices,
        group,
        messages: [],
        present: new Set(people),
        // Joining and messages at one millisecond would leave the model in doubt.
        tick: () => mimir.clock.advance(2),
      }
      try {
        for (const one of steps) await run(world, one)
        for (const device of devices) await compare(world, device)
      } finally {
        await Promise.all(devices.map((device) => device.drop()))
      }
    }),
    { numRuns: runs },
  )
}

async function newDevice(url: string, person: Person): Promise<Device> {
  const { cursor } = assertDone(await person.rest.get('/api/sync'))
  return new Device(person, url, cursor)
}

async function run(world: World, { kind, who, which }: Step): Promise<void> {
  const { people, devices, group, messages, present } = world
  const person = people[who] as Person
  const path = `/api/conversations/${group}`
  world.tick()
  if (kind === 'toggle') {
    const device = devices[who] as Device
    await (device.connected ? device.drop() : device.connect())
    return
  }
  if (kind === 'return' && !present.has(person)) {
    assertDone(await (people[0] as Person).rest.post(`${path}/members`, { userId: person.id }), 204)
    present.add(person)
    return
  }
  if (!present.has(person)) return
  const own = messages.filter(({ sender }) => sender === person)
  const message = own[which % Math.max(own.length, 1)]
  if (kind === 'send') {
    messages.push({ id: (await person.say(group, `text ${which}`)).id, sender: person })
  } else if (kind === 'edit' && message) {
    await person.rest.patch(`/api/messages/${message.id}`, { content: `edit ${which}` })
  } else if (kind === 'delete' && message) {
    await person.rest.delete(`/api/messages/${message.id}`)
  } else if (kind === 'read') {
    assertDone(await person.rest.post(`${path}/read`), 204)
  } else if (kind === 'rename' && who === 0) {
    assertDone(await person.rest.patch(path, { name: `name ${which}` }), 204)
  } else if (kind === 'leave' && who !== 0) {
    assertDone(await person.rest.delete(`${path}/members/${person.id}`), 204)
    present.delete(person)
  }
}

/** What the device shows of the group once it has caught up, against what its person may see. */
async function compare(world: World, device: Device): Promise<void> {
  if (!device.connected) await device.connect()
  const { person } = device
  const expected = world.present.has(person) ? await truth(world, person) : undefined
  let shown: unknown
  await eventually(() => {
    device.applyLive()
    const seen = device.conversations.get(world.group)
    shown = seen && { messages: [...seen.messages], reads: [...seen.reads].sort() }
    try {
      assert.deepEqual(shown, expected)
      return true
    } catch {
      return false
    }
  }, 'equality with the server').catch(() => assert.deepEqual(shown, expected, person.name))
}

async function truth(world: World, person: Person) {
  const conversation = assertDone(await person.rest.get(`/api/conversations/${world.group}`))
  const history = assertDone(await person.rest.get(`/api/messages/${world.group}?limit=200`))
  const self = conversation.members.find(
    (member: { userId: string }) => member.userId === person.id,
  )
  const seen = history.filter(({ createdAt }: { createdAt: string }) => createdAt >= self.joinedAt)
  return {
    messages: seen.map(({ id, content }: { id: string; content: string }) => [id, content]),
    reads: conversation.members
      .filter((member: { lastReadAt: string | null }) => (member.lastReadAt ?? '') >= self.joinedAt)
      .map((member: { userId: string; lastReadAt: string }) => [member.userId, member.lastReadAt])
      .sort(),
  }
}
