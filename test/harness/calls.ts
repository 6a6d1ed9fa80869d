import { randomUUID } from 'node:crypto'
import type { HubClient } from './hub.ts'
import type { Person } from './people.ts'

const SIGNALS = [
  'IncomingCall',
  'CallAnswered',
  'IceCandidate',
  'CallRejected',
  'CallEnded',
  'CallMissed',
]
/** The call signals a device has received. */
export const signalsOf = (hub: HubClient) =>
  hub.received.filter(({ name }) => SIGNALS.includes(name))

/** Waits until these devices have received everything sent so far: events arrive in order. */
export async function settle(devices: [Person, HubClient][], by: Person): Promise<void> {
  for (const [person, hub] of devices) {
    const content = randomUUID()
    await by.say(await by.dm(person), content)
    await hub.event('MessageReceived', (message) => message.content === content)
  }
}
