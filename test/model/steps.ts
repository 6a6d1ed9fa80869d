import fc from 'fast-check'
import type { Appliance } from '../harness/boot.ts'
import type { Person } from '../harness/people.ts'
import type { Reply } from '../harness/rest.ts'
import type { Device } from './device.ts'

/** The shortest message timer (seconds), and a clock step that outlasts it (milliseconds). */
const SHORT_LIFE = 5
const LONG_ENOUGH = 6000

/** The kinds of steps and their relative weights. */
const KINDS = {
  send: 6,
  sendExpiring: 1,
  edit: 2,
  delete: 2,
  react: 2,
  unreact: 1,
  pin: 1,
  unpin: 1,
  read: 1,
  deliver: 1,
  rename: 1,
  timer: 1,
  mute: 1,
  leave: 1,
  remove: 1,
  return: 2,
  block: 1,
  unblock: 1,
  timePasses: 1,
  toggle: 4,
} as const

export type Kind = keyof typeof KINDS

/** `who` and the numbers select among what exists at that moment. */
export interface Step {
  readonly kind: Kind
  readonly who: number
  readonly which: number
  readonly inGroup: boolean
  /** Whether the next step waits for this one to finish. */
  readonly awaited: boolean
}

const kinds = Object.entries(KINDS) as [Kind, number][]

export const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(...kinds.map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind) }))),
  who: fc.nat(2),
  which: fc.nat(1000),
  inGroup: fc.nat(3).map((number) => number > 0),
  awaited: fc.boolean(),
})

export interface World {
  readonly mimir: Appliance
  /** The first owns the group; the first two have a direct conversation. */
  readonly people: readonly Person[]
  readonly devices: readonly Device[]
  readonly group: string
  readonly dm: string
  /** ISO time from which receipts count: the direct conversation is older. */
  readonly startedAt: string
  readonly messages: { id: string; conversationId: string }[]
  /** Whether the two of the direct conversation were ever blocked: what they read meanwhile stays hidden. */
  wasBlocked: boolean
}

const EMOJI = ['👍', '🎉', '❤️']

/** Statuses of legitimate refusals; anything else is a server failure. */
const REFUSALS = [400, 403, 404, 409]

/**
 * Runs one step. Whether it is allowed is up to the server: a former member, another's message or a
 * block is refused there and changes nothing.
 */
export async function run(world: World, step: Step): Promise<void> {
  const { mimir, devices } = world
  // If joining and a message had the same millisecond, the model could not tell their order.
  mimir.clock.advance(2)
  if (step.kind === 'timePasses') return passTime(mimir)
  if (step.kind === 'toggle') {
    const device = devices[step.who] as Device
    return device.connected ? device.drop() : device.connect()
  }
  const reply = await request(world, step)
  if (!reply || reply.status < 300 || REFUSALS.includes(reply.status)) return
  throw new Error(`${step.kind} was answered with ${reply.status} ${JSON.stringify(reply.body)}`)
}

/** Waits until no message with a short timer is left. */
export async function passTime(mimir: Appliance): Promise<void> {
  mimir.clock.advance(LONG_ENOUGH)
  await mimir.app.jobs.runNow('wipe-expired-messages')
}

async function request(world: World, step: Step): Promise<Reply | undefined> {
  const { people, group } = world
  const { kind, which } = step
  const person = people[step.who] as Person
  const [owner, other] = people as [Person, Person]
  const conversationId = step.inGroup ? group : world.dm
  const path = `/api/conversations/${conversationId}`
  const { rest } = person
  switch (kind) {
    case 'send':
      return send(world, person, conversationId, { content: `text ${which}` })
    case 'sendExpiring':
      return send(world, person, conversationId, {
        content: `short ${which}`,
        expiresInSeconds: SHORT_LIFE,
      })
    case 'read':
      return rest.post(`${path}/read`)
    case 'deliver':
      return rest.post(`${path}/delivered`)
    case 'rename':
      return rest.patch(path, { name: `name ${which}` })
    case 'timer':
      return rest.put(`${path}/settings`, { timerSeconds: which % 2 ? SHORT_LIFE : null })
    case 'mute':
      return rest.put(`${path}/settings`, { muted: which % 2 === 1 })
    case 'leave':
      return rest.delete(`/api/conversations/${group}/members/${person.id}`)
    case 'remove':
      return owner.rest.delete(`/api/conversations/${group}/members/${person.id}`)
    case 'return':
      return owner.rest.post(`/api/conversations/${group}/members`, { userId: person.id })
    case 'block':
      world.wasBlocked = true
      return other.rest.post(`/api/friends/${owner.id}/block`)
    case 'unblock':
      return other.rest.delete(`/api/friends/${owner.id}/block`)
    default:
      return changeMessage(world, step, person)
  }
}

async function send(world: World, person: Person, conversationId: string, message: object) {
  const reply = await person.rest.post(`/api/messages/${conversationId}`, message)
  if (reply.status === 201) world.messages.push({ id: reply.body.id, conversationId })
  return reply
}

async function changeMessage(
  { messages }: World,
  { kind, which }: Step,
  { rest }: Person,
): Promise<Reply | undefined> {
  const message = messages[which % Math.max(messages.length, 1)]
  if (!message) return undefined
  const path = `/api/messages/${message.id}`
  const reaction = `${path}/reactions/${encodeURIComponent(EMOJI[which % EMOJI.length] as string)}`
  switch (kind) {
    case 'edit':
      return rest.patch(path, { content: `edit ${which}` })
    case 'delete':
      return rest.delete(path)
    case 'react':
      return rest.post(reaction)
    case 'unreact':
      return rest.delete(reaction)
    case 'pin':
      return rest.post(`${path}/pin`)
    case 'unpin':
      return rest.delete(`${path}/pin`)
    default:
      throw new Error(`${kind} is no step`)
  }
}
