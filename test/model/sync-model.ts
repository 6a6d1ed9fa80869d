import assert from 'node:assert/strict'
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack'
import fc from 'fast-check'
import { type Appliance, boot } from '../harness/boot.ts'
import { eventually } from '../harness/eventually.ts'
import type { Person } from '../harness/people.ts'
import { assertDone } from '../harness/rest.ts'
import { Device, reactionsOf, type SeenConversation } from './device.ts'
import { passTime, run, type Step, step, type World } from './steps.ts'

const NAMES = ['alice', 'bob', 'carol'] as const

/**
 * Drives people and devices that connect, drop, send, edit, delete, react, pin, read, leave and rejoin
 * at random, partly concurrently, and compares what each device shows in the end with the server's
 * state. Every other device speaks MessagePack.
 */
export async function checkSync(runs: number): Promise<void> {
  await using mimir = await boot()
  const friends = await mimir.friends(...NAMES)
  const dm = await friends[0].dm(friends[1])
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const world = await begin(mimir, friends, dm)
      try {
        await play(world, steps)
        for (const device of world.devices) {
          if (!device.connected) await device.connect()
          await compare(world, device, world.group)
          if (device.person !== world.people[2]) await compare(world, device, dm)
        }
      } finally {
        await Promise.all(world.devices.map((device) => device.drop()))
      }
    }),
    // Shrinking would wait for every device that never catches up, and concurrent runs do not repeat.
    { numRuns: runs, endOnFailure: true },
  )
}

async function begin(mimir: Appliance, friends: readonly Person[], dm: string): Promise<World> {
  // The clock may have passed their tokens' expiry.
  const people = await Promise.all(friends.map((person) => person.signedInAnew()))
  const [owner, ...others] = people as [Person, ...Person[]]
  await makeUp(owner, others[0] as Person)
  const devices = await Promise.all(
    people.map((person, index) => newDevice(mimir, person, index < 2 ? [dm] : [], index % 2 === 1)),
  )
  mimir.clock.advance(2)
  const startedAt = new Date(mimir.clock.now()).toISOString()
  const group = await owner.group('The group', ...others)
  return { mimir, people, devices, group, dm, startedAt, messages: [], wasBlocked: false }
}

/** Undoes a block from the previous run, which ended the friendship. */
async function makeUp(one: Person, other: Person): Promise<void> {
  await other.rest.delete(`/api/friends/${one.id}/block`)
  const friends: { userId: string }[] = assertDone(await one.rest.get('/api/friends'))
  if (!friends.some(({ userId }) => userId === other.id)) await one.befriend(other)
}

async function newDevice(
  mimir: Appliance,
  person: Person,
  known: readonly string[],
  binary: boolean,
): Promise<Device> {
  const { cursor } = assertDone(await person.rest.get('/api/sync'))
  return new Device(person, mimir.url, cursor, known, (builder) =>
    binary ? builder.withHubProtocol(new MessagePackHubProtocol()) : builder,
  )
}

async function play(world: World, steps: readonly Step[]): Promise<void> {
  const running: Promise<void>[] = []
  for (const one of steps) {
    const done = run(world, one)
    running.push(done)
    // A device does one thing at a time.
    if (one.awaited || one.kind === 'toggle') await Promise.all(running)
  }
  await Promise.all(running)
  // Nothing may expire between reading the server and reading the device.
  await passTime(world.mimir)
}

/** Compares what the device shows of the conversation with what its person may see. */
async function compare(world: World, device: Device, id: string): Promise<void> {
  let shown = device.conversations.get(id)
  const expected = await truth(world, device, id)
  const isDm = id === world.dm
  const place = isDm ? 'direct conversation' : 'group'
  // Behind a block, the server neither repeats earlier events nor immediately sends what it hid.
  const since = isDm && world.wasBlocked ? undefined : world.startedAt
  const assertSame = () => {
    device.applyLive()
    shown = device.conversations.get(id)
    assert.deepEqual(
      shown && told(shown, since),
      expected && told({ ...askedOf(shown, expected), ...unknownOf(shown) }, since),
      `${device.person.name} in the ${place}`,
    )
  }
  const isSame = () => {
    try {
      assertSame()
      return true
    } catch {
      return false
    }
  }
  await eventually(isSame, 'equality with the server').catch(assertSame)
}

/**
 * Normalises to a form independent of the order of events. Receipts from before the run may arrive
 * late, during it: the two people still share the same conversation.
 *
 * @param since from when receipts count; undefined: none count.
 */
function told(seen: SeenConversation, since: string | undefined) {
  const ofThisRun = (times: ReadonlyMap<string, string>) =>
    [...times].filter(([, at]) => since !== undefined && at >= since).sort()
  const messages = [...seen.messages].map(([id, { content, reactions }]) => ({
    id,
    content,
    reactions: [...reactions].sort(),
  }))
  return {
    ...seen,
    messages: messages.sort((one, other) => (one.id < other.id ? -1 : 1)),
    pins: [...seen.pins].sort(),
    reads: ofThisRun(seen.reads),
    deliveries: ofThisRun(seen.deliveries),
  }
}

/** Fields that the device has learned from no event, which are not compared. */
function unknownOf(seen: SeenConversation | undefined) {
  const { name, timerSeconds, muted } = seen ?? {}
  return Object.fromEntries(
    Object.entries({ name, timerSeconds, muted }).filter(([, value]) => value === undefined),
  )
}

/** The server's state, and the messages that the device may or may not have received. */
interface Truth {
  readonly seen: SeenConversation
  /** Created before the join by the clock: told only if their write ended after it. */
  readonly doubtful: ReadonlySet<string>
}

/** The server's state, without the doubtful messages that the device does not show. */
function askedOf(shown: SeenConversation | undefined, { seen, doubtful }: Truth): SeenConversation {
  const isAsked = (id: string) => !doubtful.has(id) || shown?.messages.has(id) === true
  return {
    ...seen,
    messages: new Map([...seen.messages].filter(([id]) => isAsked(id))),
    pins: new Set([...seen.pins].filter(isAsked)),
  }
}

async function truth(
  { startedAt }: World,
  { person }: Device,
  id: string,
): Promise<Truth | undefined> {
  const reply = await person.rest.get(`/api/conversations/${id}`)
  if (reply.status === 403 || reply.status === 404) return undefined
  const conversation = assertDone(reply)
  const { members } = conversation as { members: Member[] }
  const joinedAt = members.find(({ userId }) => userId === person.id)?.joinedAt ?? ''
  const history: Message[] = assertDone(await person.rest.get(`/api/messages/${id}?limit=200`))
  const messages = history.filter(({ createdAt }) => createdAt >= startedAt)
  const pins: { message: Message }[] = assertDone(
    await person.rest.get(`/api/conversations/${id}/pins`),
  )
  const since = joinedAt > startedAt ? joinedAt : startedAt
  const timesSince = (of: (member: Member) => string | null | undefined) =>
    new Map(
      members
        .map((member) => [member.userId, of(member) ?? ''] as const)
        .filter(([, at]) => at >= since),
    )
  const seen = {
    name: conversation.name,
    timerSeconds: conversation.timerSeconds ?? null,
    muted: conversation.muted ?? null,
    messages: new Map(
      messages.map((message) => [
        message.id,
        { content: message.content, reactions: reactionsOf(message) },
      ]),
    ),
    pins: new Set(
      pins.filter(({ message }) => message.createdAt >= startedAt).map(({ message }) => message.id),
    ),
    reads: timesSince(({ lastReadAt }) => lastReadAt),
    deliveries: timesSince(({ lastDeliveredAt }) => lastDeliveredAt),
  }
  const older = messages.filter(({ createdAt }) => createdAt < joinedAt)
  return { seen, doubtful: new Set(older.map((message) => message.id)) }
}

interface Member {
  readonly userId: string
  readonly joinedAt: string
  readonly lastReadAt: string | null
  readonly lastDeliveredAt?: string
}

interface Message {
  readonly id: string
  readonly content: string
  readonly createdAt: string
  readonly reactions?: { emoji: string; userIds: string[] }[]
}
