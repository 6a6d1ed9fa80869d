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
/** What a device heard of calls. */
export const signalsOf = (hub: HubClient) =>
  hub.received.filter(({ name }) => SIGNALS.includes(name))

/** Everything that was on its way to these devices has arrived: what is sent now comes after it. */
export async function settle(devices: [Person, HubClient][], by: Person): Promise<void> {
  for (const [person, hub] of devices) {
    const content = randomUUID()
    await by.say(await by.dm(person), content)
    await hub.event('MessageReceived', (message) => message.content === content)
  }
}
